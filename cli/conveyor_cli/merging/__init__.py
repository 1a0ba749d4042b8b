"""The files of a run and of its retries, as one."""
