"""The HTTP server: its routes, and one call from its first byte to its last."""
