"""The checks: each judges what was read of a part of the stack. Pure."""
