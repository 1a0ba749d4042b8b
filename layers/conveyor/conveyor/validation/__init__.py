"""The rules of a drop, and how it is cut into batches. Pure."""
