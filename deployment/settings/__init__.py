"""The parameters of a stack: what the template allows, and the file that keeps those of one stack."""
