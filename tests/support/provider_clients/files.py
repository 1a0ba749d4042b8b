"""An HTTP client of the file batch API: one method for each call, no retries; and lines to send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.provider_clients.base import ProviderClient
from tests.support.provider_clients.messages import request, requests

if TYPE_CHECKING:
    import httpx

FILES = "/v1/files"
BATCHES = "/v1/batches"
ENDED = ("completed", "failed", "expired", "cancelled")


def body_line(custom_id: str, *, url: str = "/v1/messages", **params: Any) -> dict[str, Any]:
    """Return a line in OpenAI's form."""
    valid = request(custom_id, **params)
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": valid["params"]}


def body_lines(total: int) -> list[dict[str, Any]]:
    """Return valid lines in OpenAI's form, `r-1` and on."""
    return [body_line(f"r-{number}") for number in range(1, total + 1)]


def jsonl(lines: list[Any] | int) -> bytes:
    """Return an input file of these lines, or of a number of valid ones; bytes are not changed."""
    wanted = requests(lines) if isinstance(lines, int) else lines
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in wanted)


class FilesClient(ProviderClient):
    """A client of the file batch API."""

    def __init__(self, url: str, key: str) -> None:
        """Set the key."""
        super().__init__(url, {"authorization": f"Bearer {key}"})

    def upload(self, content: bytes, name: str = "input.jsonl", purpose: str = "batch") -> httpx.Response:
        """Upload a file."""
        return self.post(FILES, files={"file": (name, content, "application/jsonl")}, data={"purpose": purpose})

    def upload_lines(self, lines: list[Any] | int) -> str:
        """Upload these lines, or a number of valid ones, and return the id of the file."""
        file_id: str = self.upload(jsonl(lines)).raise_for_status().json()["id"]
        return file_id

    def submit(self, file_id: str, **fields: Any) -> httpx.Response:
        """Create a batch from a file; `fields` replace those of the body, None removes one."""
        body = {"input_file_id": file_id, "endpoint": "/v1/messages", "completion_window": "24h"} | fields
        return self.post(BATCHES, json={name: value for name, value in body.items() if value is not None})

    def create_batch(self, lines: list[Any] | int, **fields: Any) -> str:
        """Upload lines, create a batch from them, and return its id."""
        batch_id: str = self.submit(self.upload_lines(lines), **fields).raise_for_status().json()["id"]
        return batch_id

    def batch(self, batch_id: str) -> dict[str, Any]:
        """Retrieve a batch."""
        batch: dict[str, Any] = self.get(f"{BATCHES}/{batch_id}").raise_for_status().json()
        return batch

    def cancel(self, batch_id: str) -> httpx.Response:
        """Cancel a batch."""
        return self.post(f"{BATCHES}/{batch_id}/cancel")

    def wait(self, batch_id: str) -> dict[str, Any]:
        """Wait for the end of a batch, and return it."""
        return self.poll(f"{BATCHES}/{batch_id}", _has_ended)

    def run_batch(self, lines: list[Any] | int, **fields: Any) -> dict[str, Any]:
        """Create a batch from these lines, or a number of valid ones, and return it once it has ended."""
        return self.wait(self.create_batch(lines, **fields))

    def content(self, file_id: str) -> httpx.Response:
        """Return the response with the content of a file."""
        return self.get(f"{FILES}/{file_id}/content")

    def lines(self, file_id: str | None) -> dict[str, dict[str, Any]]:
        """Read the lines of a file by custom_id; empty if there is no file."""
        content = self.content(file_id).raise_for_status().content if file_id else b""
        return {line["custom_id"]: line for line in map(json.loads, filter(None, content.split(b"\n")))}

    def result_lines(self, batch: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Read the lines of the output file and of the error file."""
        return self.lines(batch["output_file_id"]), self.lines(batch["error_file_id"])

    def faults(self, lines: list[Any], **fields: Any) -> list[dict[str, Any]]:
        """Create a batch from these lines, and return the faults that make it fail."""
        batch = self.run_batch(lines, **fields)
        assert batch["status"] == "failed", batch
        data: list[dict[str, Any]] = batch["errors"]["data"]
        return data


def _has_ended(batch: dict[str, Any]) -> bool:
    return batch["status"].lower().replace("canceled", "cancelled") in ENDED
