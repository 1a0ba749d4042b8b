"""Requests from the rows of a table."""
