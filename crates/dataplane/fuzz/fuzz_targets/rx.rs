//! The receiving side as a whole, driven by scripts of packets and time.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|script: &[u8]| support::World::play(script));
