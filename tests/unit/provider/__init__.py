"""The core's package `provider`."""
