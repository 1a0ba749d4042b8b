"""What functions see, log and measure."""
