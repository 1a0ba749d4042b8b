"""A shell that runs the commands of messages."""
