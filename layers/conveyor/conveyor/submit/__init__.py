"""An upload becomes a run, is validated, and is sent."""
