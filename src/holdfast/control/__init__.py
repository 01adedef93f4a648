"""The RFC 2637 control connection: messages, connection (sans-IO, both roles), call."""
