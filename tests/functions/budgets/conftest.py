"""One request per batch, and a provider that answers after hours, unless a test says otherwise."""

from datetime import UTC, datetime

import pytest

from local.provider.control import Control
from tests.functions.conftest import the_memory
from tests.support.belt import Belt
from tests.support.gates import HOUR

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch, and the times between polls."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1", "POLL_MIN_SECONDS": "300", "POLL_MAX_SECONDS": "300"}


@pytest.fixture(autouse=True)
def slow_provider(provider: Control) -> None:
    """Let batches take hours, so that what they cost is not known on the same day unless a test says so."""
    provider.configure(seconds=30 * HOUR)


@pytest.fixture
def belt(belt: Belt) -> Belt:
    """Start at noon, also on the day itself: objects are as old as the clock of the test says."""
    the_memory().s3.buckets[belt.bucket].now = lambda: belt.moment
    belt.set_clock(NOON)
    return belt
