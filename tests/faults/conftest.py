"""The functions, bucket and provider of tests/functions, with an S3 that denies; the loop looks less often."""

from collections.abc import Iterator

import pytest

from tests.faults.hostile_s3 import denying
from tests.functions.belt import Belt
from tests.functions.conftest import STACK_SETTINGS, aws, bucket, machine, provider, services, simulation
from tests.functions.conftest import belt as lenient_belt

__all__ = ["aws", "bucket", "lenient_belt", "machine", "provider", "services", "simulation"]


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Give the template's settings but for the pace: each look takes time."""
    return STACK_SETTINGS | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "3600"}


@pytest.fixture
def belt(lenient_belt: Belt) -> Iterator[Belt]:
    """Give the functions an S3 that says 403 where nothing is, as AWS's does to a role that may not list."""
    with denying(lenient_belt.clients):
        yield lenient_belt
