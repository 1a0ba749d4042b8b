"""Runs of several batches, with fewer polls, since runs wait at gates for days."""

import pytest

from local.provider.control import Control
from tests.support.gates import HOUR


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    times = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "3600"}
    return stack_settings | times | {"MAX_REQUESTS_PER_BATCH": "1"}


@pytest.fixture(autouse=True)
def slow_provider(provider: Control) -> None:
    """Let batches take hours, so that the messages of gates come before anything is to be split."""
    provider.configure(seconds=2 * HOUR)
