"""Runs and fault histories on the deployed stack."""
