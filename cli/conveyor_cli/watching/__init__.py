"""Watching runs: facts are read, a snapshot follows from them, and a frame from the snapshot."""
