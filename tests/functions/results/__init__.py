"""Outputs and receipts, and results that are late, invalid or missing."""
