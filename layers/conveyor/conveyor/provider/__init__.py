"""The batch API behind one protocol; one package for each dialect."""
