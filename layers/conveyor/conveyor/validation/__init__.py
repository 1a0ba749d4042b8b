"""The rules for a drop, and its plan: how it is cut into batches. Pure."""
