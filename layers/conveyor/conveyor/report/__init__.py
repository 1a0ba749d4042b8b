"""The receipt and the final message."""
