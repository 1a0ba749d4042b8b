"""The same functions, bucket and provider as in tests/functions; the loop looks less often: each look takes time."""

import pytest

from tests.functions.conftest import STACK_SETTINGS, aws, belt, bucket, machine, provider, services, simulation

__all__ = ["aws", "belt", "bucket", "machine", "provider", "services", "simulation"]


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Give the template's settings but for the pace."""
    return STACK_SETTINGS | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "3600"}
