"""OpenAI's SDK works with the file batch API, call by call."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.lazily import Lazily
from tests.support.provider_clients.files import ENDED, body_lines, jsonl
from tests.support.provider_clients.messages import PROVIDER_KEY

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

    from local.provider.control import Control
else:
    openai = Lazily("openai")

ENDPOINT = "/v1/messages"


@pytest.fixture
def sdk(provider: Control) -> openai.OpenAI:
    """Return the SDK with its defaults, but without retries."""
    return openai.OpenAI(base_url=f"{provider.url}/v1", api_key=PROVIDER_KEY, max_retries=0)


def created(sdk: openai.OpenAI, content: bytes) -> Batch:
    """Upload a file and create a batch from it."""
    file = sdk.files.create(file=("input.jsonl", content), purpose="batch")
    return sdk.batches.create(
        input_file_id=file.id,
        endpoint=ENDPOINT,  # type: ignore[arg-type] # the SDK knows the endpoints of its vendor only
        completion_window="24h",
        metadata={"job": "7"},
    )


def ended(sdk: openai.OpenAI, batch: Batch) -> Batch:
    """Poll until the batch has ended."""
    while batch.status not in ENDED:
        time.sleep(0.01)
        batch = sdk.batches.retrieve(batch.id)
    return batch


def test_the_sdk_creates_polls_and_reads_a_batch(sdk: openai.OpenAI, provider: Control) -> None:
    """Upload, create, retrieve until completed, read both result files."""
    provider.configure(outcomes={"2": "errored:overloaded_error"})
    batch = created(sdk, jsonl(body_lines(3)))
    assert (batch.status, batch.metadata) == ("validating", {"job": "7"})
    batch = ended(sdk, batch)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (3, 2, 1)
    assert batch.output_file_id is not None
    assert batch.error_file_id is not None
    output = [json.loads(line) for line in sdk.files.content(batch.output_file_id).text.splitlines()]
    assert {line["custom_id"]: line["response"]["status_code"] for line in output} == {"r-1": 200, "r-3": 200}
    (error,) = sdk.files.content(batch.error_file_id).text.splitlines()
    assert json.loads(error)["response"]["status_code"] == 529


def test_the_sdk_sees_why_a_batch_failed(sdk: openai.OpenAI) -> None:
    """The faults of its file, by line."""
    batch = ended(sdk, created(sdk, jsonl(body_lines(1) * 2)))
    assert (batch.status, batch.output_file_id) == ("failed", None)
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(fault.code, fault.line) for fault in batch.errors.data] == [("duplicate_custom_id", 2)]


def test_the_sdk_lists_all_pages_newest_first(sdk: openai.OpenAI) -> None:
    """Its pagination walks `after` to the oldest batch and the oldest file."""
    batches = [created(sdk, jsonl(1)) for _ in range(5)]
    assert [batch.id for batch in sdk.batches.list(limit=2)] == [batch.id for batch in batches[::-1]]
    listed = [file.id for file in sdk.files.list(limit=2, purpose="batch")]
    assert listed == [batch.input_file_id for batch in batches[::-1]]


def test_the_sdk_cancels_a_batch_and_deletes_its_file(sdk: openai.OpenAI, provider: Control) -> None:
    """It is `cancelling` first, and ends with partial results."""
    provider.configure(seconds=None)
    batch = sdk.batches.cancel(created(sdk, jsonl(4)).id)
    assert batch.status == "cancelling"
    batch = ended(sdk, batch)
    assert batch.status == "cancelled"
    assert batch.output_file_id is not None
    assert len(sdk.files.content(batch.output_file_id).text.splitlines()) == 2
    assert sdk.files.delete(batch.input_file_id).deleted
    with pytest.raises(openai.NotFoundError):
        sdk.files.retrieve(batch.input_file_id)


def test_the_sdk_reads_errors_by_kind(sdk: openai.OpenAI, provider: Control) -> None:
    """A wrong key, a wrong file, an overloaded provider: each is the SDK's own exception."""
    with pytest.raises(openai.AuthenticationError) as unknown:
        openai.OpenAI(base_url=f"{provider.url}/v1", api_key="wrong", max_retries=0).batches.list()
    assert (unknown.value.code, unknown.value.request_id is not None) == ("invalid_api_key", True)
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.files.create(file=("input.txt", b""), purpose="batch")
    assert refused.value.param == "file"
    provider.fail("create", {"kind": "answer", "status": 429})
    with pytest.raises(openai.RateLimitError):
        created(sdk, jsonl(1))


def test_the_sdk_pays_twice_for_a_lost_answer(sdk: openai.OpenAI, provider: Control) -> None:
    """A retry creates a second batch, as the provider's statistics show."""
    provider.fail("create", {"kind": "lose", "when": "after"})
    created(sdk.with_options(max_retries=2), jsonl(1))
    stats = provider.stats()
    assert (stats["calls"]["create"], stats["created"]) == (2, 2)
