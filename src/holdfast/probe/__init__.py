"""Synthetic checks through a tunnel."""
