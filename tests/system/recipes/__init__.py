"""Recipes on the deployed stack."""
