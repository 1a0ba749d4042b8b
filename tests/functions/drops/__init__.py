"""Drops: which are accepted, and which are refused."""
