"""`report.html` in a real browser: what `make pages` runs, in an environment of its own."""
