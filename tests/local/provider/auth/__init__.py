"""How the simulated provider checks who calls."""
