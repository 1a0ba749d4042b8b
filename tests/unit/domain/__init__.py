"""The core's package `domain`."""
