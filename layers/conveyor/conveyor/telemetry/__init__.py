"""What a function says about its work: one log line, and metrics."""
