"""Sending batches: in order, signed, once, in each dialect."""
