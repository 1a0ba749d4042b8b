"""Runs with fewer polls, since they wait at gates for days, and batches that take hours."""

import pytest

from local.provider.control import Control
from tests.support.gates import HOUR


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set the times between polls."""
    return stack_settings | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


@pytest.fixture(autouse=True)
def slow_provider(provider: Control) -> None:
    """Let batches take hours, so that the messages of gates come before anything is to be split."""
    provider.configure(seconds=2 * HOUR)
