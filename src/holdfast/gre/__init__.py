"""Enhanced GRE (RFC 2637 section 4): a readable codec and window, the reference the Rust core is tested against."""
