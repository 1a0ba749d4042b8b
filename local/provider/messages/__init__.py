"""The Message Batches API: what it accepts, and what its objects and result lines look like."""
