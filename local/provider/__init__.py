"""The simulated provider: two batch APIs over HTTP, deterministic, with faults on request.

It serves the Message Batches API (`messages/`) and the file batch API of OpenAI and others (`files/`).
"""
