"""The server: listener, driver, lifecycle, control API."""
