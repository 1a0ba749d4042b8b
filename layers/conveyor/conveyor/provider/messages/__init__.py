"""The Message Batches dialect."""
