"""The four questions, and the checks of their answers."""
