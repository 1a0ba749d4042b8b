"""What answers say about themselves: why they ended, and how long they are."""
