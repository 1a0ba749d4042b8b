"""Results into the user's files, in input order."""
