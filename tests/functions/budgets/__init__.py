"""Budgets of days: what a project may spend, and what is reserved of that."""
