"""The commands by which a person decides something about a run, one module each, and what they share."""
