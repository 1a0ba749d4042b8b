"""`make dashboard` and `make query`."""
