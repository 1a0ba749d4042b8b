"""The core's package `answers`."""
