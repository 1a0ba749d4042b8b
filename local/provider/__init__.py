"""The simulated provider: the Message Batches API over real HTTP, deterministic, and hostile on request."""
