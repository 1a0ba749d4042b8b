"""The simulated provider, over real HTTP."""
