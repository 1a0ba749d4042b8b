"""Whether a deployed stack is healthy: checks over what was read of it, what to type, and their order."""
