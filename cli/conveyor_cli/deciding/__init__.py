"""What a person decides about a run: what that means, and whether the run would follow it."""
