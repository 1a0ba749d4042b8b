"""The simulated provider's API of files and batches."""
