"""What a run costs, and what may be spent. Pure."""
