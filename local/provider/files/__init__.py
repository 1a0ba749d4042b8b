"""The file batch API: uploaded files, and batches created from them."""
