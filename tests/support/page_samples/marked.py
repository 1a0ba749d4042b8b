"""What the browser's environment knows of the samples: it has nothing of the core."""

MARKED = "hostile-markup-was-shown"
"""Stands in every hostile text, so that a test can look for it where a person reads it."""
PICTURED = ("good", "failures", "nothing", "refused", "large")
"""The samples of which the docs have pictures."""
