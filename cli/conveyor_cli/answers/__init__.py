"""The outcomes of a run as a table: a row for each request."""
