"""The page of a run on this machine."""
