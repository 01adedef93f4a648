"""The interface to the Rust packet engine."""
