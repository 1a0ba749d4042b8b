"""Deploying a stack to AWS."""
