"""Event log, retention, integrity, sinks, metrics, alerts."""
