"""Rounds: what failed for a reason that passes is sent again, and its answers are merged."""
