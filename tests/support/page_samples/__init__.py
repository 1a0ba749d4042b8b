"""Receipts of every kind of run, for what is shown of them on `report.html`."""
