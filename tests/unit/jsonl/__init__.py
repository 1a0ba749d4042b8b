"""The core's package `jsonl`."""
