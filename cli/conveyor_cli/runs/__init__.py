"""The runs of a stack: which there are, and what is known of each."""
