"""The account of a run, as data."""
