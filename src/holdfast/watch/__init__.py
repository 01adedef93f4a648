"""Watching a live interface: the judgement of captures, session by session, while they happen."""
