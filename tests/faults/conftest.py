"""The same functions, bucket and provider as in tests/functions."""

from tests.functions.conftest import aws, belt, bucket, machine, provider, services, simulation

__all__ = ["aws", "belt", "bucket", "machine", "provider", "services", "simulation"]
