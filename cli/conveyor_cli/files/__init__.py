"""The files of a run on this machine: fetched, and verified."""
