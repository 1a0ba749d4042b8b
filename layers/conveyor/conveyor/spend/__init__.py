"""What a project may spend in a day, what is reserved of that, and what its runs have cost."""
