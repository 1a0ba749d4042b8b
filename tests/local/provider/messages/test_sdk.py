"""Anthropic's SDK works with the Message Batches API, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.lazily import Lazily
from tests.support.provider_clients.messages import PROVIDER_KEY
from tests.support.provider_clients.sdk import sdk_requests, wait_for_end

if TYPE_CHECKING:
    import anthropic

    from local.provider.control import Control
else:
    anthropic = Lazily("anthropic")


@pytest.fixture
def sdk(provider: Control) -> anthropic.Anthropic:
    """Return the SDK with its defaults, but without retries."""
    return anthropic.Anthropic(base_url=provider.url, api_key=PROVIDER_KEY, max_retries=0)


def test_the_sdk_creates_polls_and_reads_a_batch(sdk: anthropic.Anthropic, provider: Control) -> None:
    """Create, retrieve until ended, read the results; counts change only at the end."""
    provider.configure(outcomes={"2": "errored:overloaded_error", "3": "expired", "4": "canceled"})
    created = sdk.messages.batches.create(requests=sdk_requests(5))
    assert (created.processing_status, created.request_counts.processing) == ("in_progress", 5)
    batch = wait_for_end(sdk, created)
    counts = batch.request_counts
    assert (counts.processing, counts.succeeded, counts.errored, counts.expired, counts.canceled) == (0, 2, 1, 1, 1)
    assert (batch.expires_at - batch.created_at).total_seconds() == 86_400
    results = {line.custom_id: line.result for line in sdk.messages.batches.results(batch.id)}
    assert list(results) != sorted(results)
    assert results["line-1"].type == "succeeded"
    assert results["line-1"].message.usage.service_tier == "batch"
    assert results["line-2"].type == "errored"
    assert results["line-2"].error.error.type == "overloaded_error"
    assert (results["line-3"].type, results["line-4"].type) == ("expired", "canceled")


def test_the_sdk_lists_all_pages_newest_first(sdk: anthropic.Anthropic) -> None:
    """Its pagination walks `after_id` to the oldest batch."""
    ids = [sdk.messages.batches.create(requests=sdk_requests(1)).id for _ in range(5)]
    assert [batch.id for batch in sdk.messages.batches.list(limit=2)] == ids[::-1]


def test_the_sdk_cancels_and_deletes(sdk: anthropic.Anthropic, provider: Control) -> None:
    """A cancelled batch is `canceling`, ends with partial results, and can then be deleted."""
    provider.configure(seconds=None)
    batch = sdk.messages.batches.cancel(sdk.messages.batches.create(requests=sdk_requests(4)).id)
    assert batch.processing_status == "canceling"
    assert batch.cancel_initiated_at is not None
    counts = wait_for_end(sdk, batch).request_counts
    assert (counts.succeeded, counts.canceled) == (2, 2)
    assert sdk.messages.batches.delete(batch.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        sdk.messages.batches.retrieve(batch.id)


def test_the_sdk_reads_errors_by_kind(sdk: anthropic.Anthropic, provider: Control) -> None:
    """A wrong key, an empty batch, an overloaded provider: each is the SDK's own exception."""
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(base_url=provider.url, api_key="wrong", max_retries=0).messages.batches.list()
    with pytest.raises(anthropic.BadRequestError) as refused:
        sdk.messages.batches.create(requests=[])
    assert refused.value.request_id is not None
    provider.fail("create", {"kind": "answer", "status": 529})
    with pytest.raises(anthropic.APIStatusError) as overloaded:
        sdk.messages.batches.create(requests=sdk_requests(1))
    assert overloaded.value.type == "overloaded_error"


def test_the_sdk_pays_twice_for_a_lost_answer(sdk: anthropic.Anthropic, provider: Control) -> None:
    """A retry creates a second batch, as the provider's statistics show."""
    provider.fail("create", {"kind": "lose", "when": "after"})
    sdk.with_options(max_retries=2).messages.batches.create(requests=sdk_requests(1))
    stats = provider.stats()
    assert (stats["calls"]["create"], stats["created"]) == (2, 2)


def test_the_sdk_names_betas_as_we_do(sdk: anthropic.Anthropic, provider: Control) -> None:
    """In one header of the create call; an unknown name is a BadRequestError."""
    betas = ["output-300k-2026-03-24", "task-budgets-2026-03-13"]
    (request,) = sdk_requests(1)
    wanted = {"custom_id": request["custom_id"], "params": {**request["params"], "model": "claude-opus-5-5"}}
    sdk.beta.messages.batches.create(requests=[wanted], betas=betas)  # type: ignore[list-item]  # a plain dictionary
    assert provider.stats()["batches"][0]["betas"] == betas
    with pytest.raises(anthropic.BadRequestError, match="for the `anthropic-beta` header"):
        sdk.beta.messages.batches.create(requests=[wanted], betas=["a-1"])  # type: ignore[list-item]
