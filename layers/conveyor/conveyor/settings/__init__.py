"""What can be set, for the stack and for one drop. Pure."""
