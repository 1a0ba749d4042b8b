"""The core's package `report`."""
