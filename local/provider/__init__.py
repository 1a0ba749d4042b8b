"""The simulated provider: two batch APIs over real HTTP, deterministic, and hostile on request.

`messages.py` speaks the Message Batches API; `file_calls.py` and `file_batches.py` that of files and batches of them.
"""
