"""Bytes to values and back: declarative fixed structs and a bounded TLV reader. Knows no protocol state."""
