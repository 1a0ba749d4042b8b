"""What becomes of a file, as far as that follows from its bytes, its metadata, the settings and the limits."""
