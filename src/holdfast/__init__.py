"""Holdfast: runs, watches, diagnoses and retires PPTP VPNs."""

__version__ = "0.1.0"
