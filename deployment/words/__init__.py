"""What a person reads about a deployment: its changes, its cost, its outputs."""
