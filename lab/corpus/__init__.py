"""Captures of real peers with a label: what was broken on purpose, and what an analyser must therefore say."""
