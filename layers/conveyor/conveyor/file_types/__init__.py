"""What a file is that holds no requests, and the command that converts it. Pure."""
