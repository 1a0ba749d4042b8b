"""The template and the state machine."""
