"""Crashes at every call, and histories in which the provider, S3 or a person interferes."""
