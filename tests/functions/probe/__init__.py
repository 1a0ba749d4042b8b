"""Runs whose probe is answered before the rest is sent."""
