"""Plain HTTP clients of the simulated provider, and the requests they send."""
