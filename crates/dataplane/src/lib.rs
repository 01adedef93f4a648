//! The packet engine: GRE, windows, MPPE, TUN and counters. Knows frames and keys; negotiation lives in Python.
//!
//! Two threads a worker: `rx` carries packets from the peers to the TUN device, `tx` the other way. A call belongs to one
//! worker, whose threads alone hold the keys and numbers of their direction; what they tell each other is atomic, what they
//! are told comes through channels.

pub mod budget;
pub mod chatter;
pub mod checksum;
pub mod coalesce;
pub mod command;
pub mod deliver;
pub mod engine;
pub mod gre;
pub mod icmp;
pub mod ip;
pub mod mppe;
#[cfg(test)]
mod mppe_tests;
pub mod outbox;
pub mod prefix;
pub mod rc4;
pub mod reorder;
pub mod routes;
pub mod rx;
pub mod rx_call;
pub mod segment;
pub mod shared;
pub mod sys;
pub mod table;
pub mod timers;
pub mod tx;
pub mod tx_call;
#[cfg(test)]
mod tx_tests;
pub mod upcall;
pub mod window;
pub mod workers;
