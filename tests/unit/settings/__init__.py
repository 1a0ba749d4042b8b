"""The core's package `settings`."""
