"""The simulated provider's Messages Batches API."""
