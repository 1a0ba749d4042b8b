"""The core's package `file_types`."""
