"""The core's package `provider.files`."""
