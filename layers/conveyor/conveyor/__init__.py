"""Conveyor's core: everything the four functions do, apart from reading their events.

Pure modules import neither boto3 nor httpx, and nothing of ours but pure modules. `storage` is the only door to S3,
`api` the only door to the provider, `clients` builds both.
"""
