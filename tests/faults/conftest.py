"""The functions, bucket and provider of tests/functions, with an S3 that denies; the loop looks less often.

Every test is played in each dialect, and in that of files also with a server that takes no metadata and lists no files:
there only its results tell whose a batch is, as in the other dialect. In between lies no server that could be worse.

AWS is in memory, as in tests/functions, since a history makes a hundred calls and there are thousands of histories.
"""

from collections.abc import Iterator

import pytest

from tests.functions.conftest import (
    aws,
    bucket,
    local_services,
    machine,
    memory_services,
    provider,
    services,
    simulation,
)
from tests.functions.conftest import belt as lenient_belt
from tests.support.belt import Belt
from tests.support.faults.dialects import DIALECTS, Dialect
from tests.support.faults.hostile_s3 import denying
from tests.support.settings import STACK_SETTINGS

__all__ = [
    "aws",
    "bucket",
    "lenient_belt",
    "local_services",
    "machine",
    "memory_services",
    "provider",
    "services",
    "simulation",
]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Give each dialect in turn; a test that is about some of them names these."""
    return DIALECTS[request.param]


@pytest.fixture
def stack_settings(dialect: Dialect) -> dict[str, str]:
    """Give the template's settings but for the dialect and the pace: each look takes time."""
    return STACK_SETTINGS | {"BATCH_API": dialect.name, "POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "3600"}


@pytest.fixture
def belt(lenient_belt: Belt, dialect: Dialect) -> Iterator[Belt]:
    """Give the functions an S3 that says 403 where nothing is, as AWS's does to a role that may not list."""
    lenient_belt.server_settings = dialect.server
    lenient_belt.reset()
    with denying(lenient_belt.clients):
        yield lenient_belt
