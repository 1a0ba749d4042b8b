"""What stands in every hostile text, so that a test can look for it where a person reads it."""

MARKED = "hostile-markup-was-shown"
