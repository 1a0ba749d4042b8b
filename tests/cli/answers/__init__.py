"""The answers of a run as a table."""
