"""The core's package `spend`."""
