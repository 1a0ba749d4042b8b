"""The gates, as pure functions."""
