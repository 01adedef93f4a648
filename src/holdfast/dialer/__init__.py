"""The client: reconnect strategy, network watching, routes and DNS."""
