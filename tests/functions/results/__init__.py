"""What comes back: outputs, receipts, and results that are late, odd or missing."""
