"""From a table to requests."""
