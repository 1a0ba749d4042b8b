"""Conveyor's core: everything the four functions do, apart from reading their events.

Stages (submit, poll, split, report) use clients, the context of a run, its ledger, the provider and S3. Pure packages
(validation, file_types, settings, wording, domain, jsonl) import neither boto3 nor httpx.
"""

__version__ = "0.2.0"
"""The release, of the stack (output `Release` of the template) and of the command alike."""
