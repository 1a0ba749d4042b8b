"""The core's package `poll`."""
