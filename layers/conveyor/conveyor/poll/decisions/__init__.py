"""What a batch or a run needs next, as data, and how that follows. Pure."""
