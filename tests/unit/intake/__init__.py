"""The core's package `intake`."""
