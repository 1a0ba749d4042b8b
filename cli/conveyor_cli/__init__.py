"""The command `conveyor`: what a person at a desk does with the runs of a stack."""

__version__ = "0.1.0"
