"""Patches of MiniStack where Conveyor depends on what AWS does: one module a subject, each with a `patch()`."""
