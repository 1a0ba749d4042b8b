"""What `conveyor doctor` says of what it has read."""
