"""The faults that tests can ask the simulated provider for."""
