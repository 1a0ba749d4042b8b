"""The runs of a stack, as a list."""
