"""What a project may spend in a day, and what is reserved of that."""
