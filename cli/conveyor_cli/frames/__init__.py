"""A run at one moment, as lines for a terminal. All of it is pure: facts and the clock in."""
