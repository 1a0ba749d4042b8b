"""Values that all stages share: drop, plan, outcome, status, keys of the bucket. Pure."""
