"""A shell that types the commands of messages."""
