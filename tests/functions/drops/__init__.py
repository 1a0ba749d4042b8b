"""What may be dropped: what is taken, and what is refused."""
