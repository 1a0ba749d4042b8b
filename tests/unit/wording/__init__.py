"""The core's package `wording`."""
