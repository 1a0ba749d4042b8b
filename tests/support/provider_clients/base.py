"""What the clients of both APIs share."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WAIT_SECONDS = 60.0
"""Longer than a machine is ever busy with other tests: only what hangs takes as long."""


class ProviderClient(httpx.Client):
    """A client that retries nothing and reads no proxy from the environment."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Set the headers that every call needs."""
        no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading them takes longer than most tests
        super().__init__(base_url=url, headers=headers, trust_env=False, verify=no_certificates, timeout=WAIT_SECONDS)

    def __enter__(self) -> Self:
        """Return the client itself."""
        super().__enter__()
        return self

    def poll(self, path: str, has_ended: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Retrieve a batch until it has ended; fails with the last batch object."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            batch: dict[str, Any] = self.get(path).raise_for_status().json()
            if has_ended(batch):
                return batch
            assert time.monotonic() < deadline, batch
            time.sleep(0.01)
