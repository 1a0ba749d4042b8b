"""The local AWS and the one in memory, and the events that AWS sends."""
