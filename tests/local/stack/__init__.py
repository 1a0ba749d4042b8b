"""The deployed local stack, as a user sees it."""
