"""What a run needs next."""
