"""RADIUS attributes, exchange and dynamic authorisation (sans-IO)."""
