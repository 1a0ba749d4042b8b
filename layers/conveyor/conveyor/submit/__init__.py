"""An upload becomes a run, is validated, and is sent, one paid call at a time."""
