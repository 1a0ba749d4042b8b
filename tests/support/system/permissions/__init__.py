"""What a run needs each permission of a role for, and what happens without it."""
