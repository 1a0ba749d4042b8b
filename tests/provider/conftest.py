"""A provider that runs for all tests of this folder and forgets everything between them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from local.provider.http.server import serving
from local.provider.settings import Settings
from tests.provider.client import Client
from tests.provider.file_client import FileClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.provider.control import Control

KEY = "sk-ant-simulated"


@pytest.fixture(scope="session")
def server() -> Iterator[Control]:
    """Serve in a thread, fast, with one key that is let in."""
    with serving(Settings(seconds=0.05, canceling_seconds=0.05, api_key=KEY)) as control:
        yield control


@pytest.fixture
def provider(server: Control, caplog: pytest.LogCaptureFixture) -> Iterator[Control]:
    """Give the provider with nothing in it; whatever it was told to do, nothing may have gone wrong inside it."""
    server.reset()
    yield server
    assert not [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]


@pytest.fixture
def client(provider: Control) -> Iterator[Client]:
    """Give a plain HTTP client of it, without retries."""
    with Client(provider.url, KEY) as client:
        yield client


@pytest.fixture
def files(provider: Control) -> Iterator[FileClient]:
    """Give a plain HTTP client of its dialect of the files, without retries."""
    with FileClient(provider.url, KEY) as client:
        yield client
