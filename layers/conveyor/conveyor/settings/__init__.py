"""What can be set for a stack and for one drop."""
