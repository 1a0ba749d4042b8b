"""Logs Insights of the local AWS."""
