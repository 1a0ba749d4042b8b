"""The batch API behind one protocol."""
