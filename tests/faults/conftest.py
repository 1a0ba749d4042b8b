"""The fixtures of tests/functions, with an S3 that answers 403 for missing objects, and with fewer polls.

Every test runs in each dialect, and in the file dialect also with a server that ignores metadata and lists no files.
There only the results show which run a batch belongs to, as in the other dialect.

AWS is in memory, as in tests/functions, since a history makes a hundred calls and there are thousands of histories.
"""

from collections.abc import Iterator

import pytest

from tests.functions.conftest import (
    aws,
    bucket,
    local_services,
    machine,
    memory_provider,
    memory_services,
    provider,
    served_provider,
    services,
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
    "memory_provider",
    "memory_services",
    "provider",
    "served_provider",
    "services",
]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Return each dialect in turn; a test can choose some by indirect parameters."""
    return DIALECTS[request.param]


@pytest.fixture
def stack_settings(dialect: Dialect) -> dict[str, str]:
    """Return the template's settings with the dialect and longer poll intervals, since each poll takes time."""
    return STACK_SETTINGS | {"BATCH_API": dialect.name, "POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


@pytest.fixture
def belt(lenient_belt: Belt, dialect: Dialect) -> Iterator[Belt]:
    """Return the functions with an S3 that answers 403 for missing objects, as AWS does without ListBucket."""
    lenient_belt.server_settings = dialect.server
    lenient_belt.reset()
    with denying(lenient_belt.clients):
        yield lenient_belt
