"""Histories with crashes and faults, and the checks of their outcome."""
