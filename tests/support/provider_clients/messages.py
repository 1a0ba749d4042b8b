"""An HTTP client of the Message Batches API: one method for each call, no retries; and requests to send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.provider_clients.base import ProviderClient

if TYPE_CHECKING:
    import httpx

PROVIDER_KEY = "sk-ant-simulated"
BATCHES = "/v1/messages/batches"


def request(custom_id: str, **params: Any) -> dict[str, Any]:
    """Return a request; `params` are added to valid ones, None removes a field."""
    question = {"role": "user", "content": f"What is {custom_id}?"}
    body = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [question]} | params
    return {"custom_id": custom_id, "params": {name: value for name, value in body.items() if value is not None}}


def requests(total: int) -> list[dict[str, Any]]:
    """Return valid requests `r-1` and on."""
    return [request(f"r-{number}") for number in range(1, total + 1)]


class MessagesClient(ProviderClient):
    """A client of the Message Batches API."""

    def __init__(self, url: str, key: str) -> None:
        """Set the key and the version."""
        super().__init__(url, {"x-api-key": key, "anthropic-version": "2023-06-01"})

    def create(self, requests_or_total: list[dict[str, Any]] | int) -> httpx.Response:
        """Create a batch of these requests, or of a number of valid ones."""
        return self.post(
            BATCHES,
            json={"requests": requests(requests_or_total) if isinstance(requests_or_total, int) else requests_or_total},
        )

    def run_batch(self, requests_or_total: list[dict[str, Any]] | int) -> str:
        """Create a batch, wait for its end, and return its id."""
        batch_id: str = self.create(requests_or_total).raise_for_status().json()["id"]
        self.wait(batch_id)
        return batch_id

    def run_one(self, **params: Any) -> dict[str, Any]:
        """Send one request in a batch of its own; return its result."""
        return self.results_by_id(self.run_batch([request("r-1", **params)]))["r-1"]

    def wait(self, batch_id: str) -> dict[str, Any]:
        """Wait for the end of a batch, and return it."""
        return self.poll(f"{BATCHES}/{batch_id}", lambda batch: batch["processing_status"] == "ended")

    def results(self, batch_id: str) -> httpx.Response:
        """Return the response with the results."""
        return self.get(f"{BATCHES}/{batch_id}/results")

    def results_by_id(self, batch_id: str) -> dict[str, dict[str, Any]]:
        """Read the results by custom_id."""
        lines = [json.loads(line) for line in self.results(batch_id).raise_for_status().content.split(b"\n") if line]
        return {line["custom_id"]: line["result"] for line in lines}
