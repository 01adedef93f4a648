//! What the event log has written out in bulk: JSON values, and lines that are chained to each other.
//!
//! The readable reference is `holdfast.observe.record` and `holdfast.observe.chain`; tests compare the two octet for octet.
#![forbid(unsafe_code)]

pub mod chain;
pub mod json;
