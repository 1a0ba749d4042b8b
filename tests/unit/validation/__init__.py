"""The core's package `validation`."""
