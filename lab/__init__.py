"""The lab: small guests in which the real peers run (Debian's pppd, pptpd and pptp-linux), and networks to put them in.

`image` builds what a guest boots from, `guest` runs one, `network` makes the namespaces, links and taps around it.
Everything needs root. Everything is a context manager and leaves nothing behind, not even after an exception.
"""
