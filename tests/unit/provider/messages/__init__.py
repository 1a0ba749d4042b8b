"""The core's package `provider.messages`."""
