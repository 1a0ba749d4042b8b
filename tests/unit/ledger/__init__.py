"""The core's package `ledger`."""
