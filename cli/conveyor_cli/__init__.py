"""The command `conveyor`: what a person at a desk does with the runs of a stack."""
