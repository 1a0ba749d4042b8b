"""Support code shared by several test folders."""
