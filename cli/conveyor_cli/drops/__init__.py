"""Dropping a file: the check before it is uploaded, the upload, and the run that it becomes."""
