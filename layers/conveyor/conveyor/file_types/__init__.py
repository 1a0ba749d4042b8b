"""What a wrong file is, and the command that converts it."""
