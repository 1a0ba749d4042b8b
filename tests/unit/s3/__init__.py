"""The core's package `s3`."""
