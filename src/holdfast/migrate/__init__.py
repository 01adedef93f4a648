"""The way off PPTP."""
