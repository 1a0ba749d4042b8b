"""The core's package `split`."""
