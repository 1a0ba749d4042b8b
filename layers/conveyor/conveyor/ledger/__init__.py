"""What is written down about a run, once."""
