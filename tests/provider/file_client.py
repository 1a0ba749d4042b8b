"""A plain HTTP client of the dialect of the files: one method a call, no retries, and lines to send."""

from __future__ import annotations

import json
import ssl
import time
from typing import Any, Self

import httpx

from tests.provider.client import PATIENCE_SECONDS, request, requests

FILES = "/v1/files"
BATCHES = "/v1/batches"
ENDED = ("completed", "failed", "expired", "cancelled")


def body_line(custom_id: str, *, url: str = "/v1/messages", **params: Any) -> dict[str, Any]:
    """Write one request in OpenAI's form."""
    asked = request(custom_id, **params)
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": asked["params"]}


def body_lines(total: int) -> list[dict[str, Any]]:
    """Write so many valid requests in OpenAI's form, `r-1` and on."""
    return [body_line(f"r-{number}") for number in range(1, total + 1)]


def jsonl(lines: list[Any] | int) -> bytes:
    """Write an input file of these lines, or of so many; bytes stay what they are."""
    wanted = requests(lines) if isinstance(lines, int) else lines
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in wanted)


class FileClient(httpx.Client):
    """Speaks the file batch API over one connection pool."""

    def __init__(self, url: str, key: str) -> None:
        """Send the one header every call needs."""
        headers = {"authorization": f"Bearer {key}"}
        no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading them takes longer than most tests
        super().__init__(base_url=url, headers=headers, trust_env=False, verify=no_certificates)

    def __enter__(self) -> Self:
        """Give the client itself."""
        super().__enter__()
        return self

    def upload(self, content: bytes, name: str = "input.jsonl", purpose: str = "batch") -> httpx.Response:
        """Upload a file."""
        return self.post(FILES, files={"file": (name, content, "application/jsonl")}, data={"purpose": purpose})

    def uploaded(self, lines: list[Any] | int) -> str:
        """Upload these lines, or so many, and give the id of the file."""
        file_id: str = self.upload(jsonl(lines)).raise_for_status().json()["id"]
        return file_id

    def submit(self, file_id: str, **fields: Any) -> httpx.Response:
        """Create a batch of a file; `fields` replace those of the body, None takes one away."""
        body = {"input_file_id": file_id, "endpoint": "/v1/messages", "completion_window": "24h"} | fields
        return self.post(BATCHES, json={name: value for name, value in body.items() if value is not None})

    def created(self, lines: list[Any] | int, **fields: Any) -> str:
        """Upload lines, create a batch of them and give its id."""
        batch_id: str = self.submit(self.uploaded(lines), **fields).raise_for_status().json()["id"]
        return batch_id

    def batch(self, batch_id: str) -> dict[str, Any]:
        """Retrieve a batch."""
        batch: dict[str, Any] = self.get(f"{BATCHES}/{batch_id}").raise_for_status().json()
        return batch

    def cancel(self, batch_id: str) -> httpx.Response:
        """Cancel a batch."""
        return self.post(f"{BATCHES}/{batch_id}/cancel")

    def wait(self, batch_id: str) -> dict[str, Any]:
        """Poll until the batch has ended; fails with the last thing seen."""
        stop = time.monotonic() + PATIENCE_SECONDS
        while True:
            batch = self.batch(batch_id)
            if batch["status"].lower().replace("canceled", "cancelled") in ENDED:
                return batch
            assert time.monotonic() < stop, batch
            time.sleep(0.01)

    def ended(self, lines: list[Any] | int, **fields: Any) -> dict[str, Any]:
        """Create a batch of these lines, or of so many, and give it once it has ended."""
        return self.wait(self.created(lines, **fields))

    def content(self, file_id: str) -> httpx.Response:
        """Read a file as it comes."""
        return self.get(f"{FILES}/{file_id}/content")

    def lines(self, file_id: str | None) -> dict[str, dict[str, Any]]:
        """Read the lines of a file by custom_id, or nothing where there is no file."""
        content = self.content(file_id).raise_for_status().content if file_id else b""
        return {line["custom_id"]: line for line in map(json.loads, filter(None, content.split(b"\n")))}

    def fates(self, batch: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Read the lines of the output file and of the error file."""
        return self.lines(batch["output_file_id"]), self.lines(batch["error_file_id"])

    def faults(self, lines: list[Any], **fields: Any) -> list[dict[str, Any]]:
        """Give why a batch of these lines fails."""
        batch = self.ended(lines, **fields)
        assert batch["status"] == "failed", batch
        data: list[dict[str, Any]] = batch["errors"]["data"]
        return data
