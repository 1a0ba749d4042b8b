"""Runs that stand at gates, on the functions."""
