"""Calls of AWS and of the SAM CLI; no other module makes any."""
