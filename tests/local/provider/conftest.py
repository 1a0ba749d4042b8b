"""A provider that runs for all tests of this folder, and is reset between them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from local.provider.http.server import serving
from local.provider.settings import Settings
from tests.support.provider_clients.files import FilesClient
from tests.support.provider_clients.messages import PROVIDER_KEY, MessagesClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.provider.control import Control


@pytest.fixture(scope="session")
def server() -> Iterator[Control]:
    """Serve in a thread, with fast batches and one valid key."""
    with serving(Settings(seconds=0.05, canceling_seconds=0.05, api_key=PROVIDER_KEY)) as control:
        yield control


@pytest.fixture
def provider(server: Control, caplog: pytest.LogCaptureFixture) -> Iterator[Control]:
    """Return the provider after a reset; it must not log a warning, whatever the test asks of it."""
    server.reset()
    yield server
    assert not [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]


@pytest.fixture
def client(provider: Control) -> Iterator[MessagesClient]:
    """Return a client of the Message Batches API."""
    with MessagesClient(provider.url, PROVIDER_KEY) as client:
        yield client


@pytest.fixture
def files(provider: Control) -> Iterator[FilesClient]:
    """Return a client of the file batch API."""
    with FilesClient(provider.url, PROVIDER_KEY) as client:
        yield client
