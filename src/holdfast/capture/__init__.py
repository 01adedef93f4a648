"""Decodes a capture into sessions; findings; reports."""
