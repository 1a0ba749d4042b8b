"""A plain HTTP client for the tests: one method a call, no retries, and requests to send."""

from __future__ import annotations

import json
import ssl
import time
from typing import Any, Self

import httpx

BATCHES = "/v1/messages/batches"
PATIENCE_SECONDS = 5.0


def request(custom_id: str, **params: Any) -> dict[str, Any]:
    """Write one request; `params` are added to a valid body, None takes a field away."""
    question = {"role": "user", "content": f"What is {custom_id}?"}
    body = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [question]} | params
    return {"custom_id": custom_id, "params": {name: value for name, value in body.items() if value is not None}}


def requests(total: int) -> list[dict[str, Any]]:
    """Write so many valid requests, `r-1` and on."""
    return [request(f"r-{number}") for number in range(1, total + 1)]


class Client(httpx.Client):
    """Speaks the batch API over one connection pool."""

    def __init__(self, url: str, key: str) -> None:
        """Send the headers every call needs."""
        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading them takes longer than most tests
        super().__init__(base_url=url, headers=headers, trust_env=False, verify=no_certificates)

    def __enter__(self) -> Self:
        """Give the client itself."""
        super().__enter__()
        return self

    def create(self, wanted: list[dict[str, Any]] | int) -> httpx.Response:
        """Create a batch of these requests, or of so many."""
        return self.post(BATCHES, json={"requests": requests(wanted) if isinstance(wanted, int) else wanted})

    def ended(self, wanted: list[dict[str, Any]] | int) -> str:
        """Create a batch and give its id once it has ended."""
        batch_id: str = self.create(wanted).raise_for_status().json()["id"]
        self.wait(batch_id)
        return batch_id

    def wait(self, batch_id: str) -> dict[str, Any]:
        """Poll until the batch has ended; fails with the last thing seen."""
        stop = time.monotonic() + PATIENCE_SECONDS
        while True:
            batch: dict[str, Any] = self.get(f"{BATCHES}/{batch_id}").raise_for_status().json()
            if batch["processing_status"] == "ended":
                return batch
            assert time.monotonic() < stop, batch
            time.sleep(0.01)

    def results(self, batch_id: str) -> httpx.Response:
        """Read the results as they come."""
        return self.get(f"{BATCHES}/{batch_id}/results")

    def fates(self, batch_id: str) -> dict[str, dict[str, Any]]:
        """Read the results by custom_id."""
        lines = [json.loads(line) for line in self.results(batch_id).raise_for_status().content.split(b"\n") if line]
        return {line["custom_id"]: line["result"] for line in lines}
