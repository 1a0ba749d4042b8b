"""The core's package `submit`."""
