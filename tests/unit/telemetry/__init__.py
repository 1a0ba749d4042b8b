"""The core's package `telemetry`."""
