"""The local stack and its parts."""
