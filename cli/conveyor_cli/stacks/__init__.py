"""Which stack a command is about."""
