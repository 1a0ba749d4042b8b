"""Batches of requests, whichever API created them."""
