//! The packet engine: GRE, windows, MPPE, TUN and counters. Knows frames and keys; negotiation lives in Python.
