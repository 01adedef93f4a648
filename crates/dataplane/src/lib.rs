//! The packet engine: GRE, windows, MPPE, TUN and counters. Knows frames and keys; negotiation lives in Python.
//!
//! Two threads: `rx` carries packets from the peers to the TUN device, `tx` the other way. Each alone holds the keys and
//! numbers of its direction; what they tell each other is atomic, what they are told comes through channels.

pub mod gre;
pub mod mppe;
#[cfg(test)]
mod mppe_tests;
pub mod rc4;
pub mod window;
