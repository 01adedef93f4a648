"""Synthetic checks through a tunnel: name lookups, HTTP requests, pings and throughput, each from a place."""
