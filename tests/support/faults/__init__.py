"""Histories with crashes and faults, and what is promised of them."""
