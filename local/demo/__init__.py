"""`make demo`: drop a file, watch its run, and check what comes back."""
