"""The core's package `receipt`."""
