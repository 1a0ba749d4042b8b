"""What AWS says of a deployed stack, read for the checks."""
