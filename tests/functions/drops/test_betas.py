"""Beta features: those of a drop or the stack are sent with the create call, and a refusal names them."""

from typing import Any

import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.promises import check, plain
from tests.support.settings import tune

LONG = "output-300k-2026-03-24"
TASKS = "task-budgets-2026-03-13"


def sent(belt: Belt) -> list[list[str]]:
    """Return the betas of each batch at the provider."""
    return [batch["betas"] for batch in belt.provider.stats()["batches"]]


def test_the_betas_of_a_drop_are_sent_with_each_of_its_batches(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """They override the stack's and are in the receipt, and requests that need them succeed."""
    tune(monkeypatch, max_requests_per_batch=2)
    monkeypatch.setenv("CONVEYOR_BETAS", "mcp-client-2025-11-20")
    data = b"\n".join(
        request(f"r-{number}", model="claude-opus-5-5", max_tokens=300_000, output_config={"task_budget": {}})
        for number in range(3)
    )
    run = belt.upload(data, metadata={"betas": f"{TASKS} , {LONG}"})
    receipt = check(belt, run, belt.finish(run), data)
    assert sent(belt) == [[LONG, TASKS]] * 2
    assert receipt["outcomes"]["succeeded"] == 3
    assert receipt["betas"] == [TASKS, LONG]
    assert receipt["drop_settings"] == {"betas": f"{TASKS},{LONG}"}


def test_the_stacks_betas_apply_to_drops_without_betas(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not to a drop with `none`; a run keeps its betas until its end."""
    monkeypatch.setenv("CONVEYOR_BETAS", LONG)
    belt.provider.fail("create", {"kind": "answer", "status": 529, "when": "before"})
    run = belt.upload(drop_of(1))
    monkeypatch.setenv("CONVEYOR_BETAS", TASKS)
    belt.clients.__dict__.pop("settings", None)
    belt.finish(run)
    assert belt.receipt()["betas"] == [LONG]
    belt.finish(belt.upload(drop_of(1), "inbox/none.jsonl", {"betas": "none"}))
    assert sent(belt) == [[LONG], []]


def test_without_its_beta_a_line_is_an_error(belt: Belt) -> None:
    """The simulated provider requires them where the API does."""
    data = request("r-1", max_tokens=300_000) + b"\n" + request("r-2", mcp_servers=[{}])
    belt.finish(belt.upload(data))
    assert [line["error"]["type"] for line in belt.lines("failures/", "failures.jsonl")] == [
        "invalid_request_error"
    ] * 2


@pytest.mark.parametrize(
    ("stack", "metadata", "where"),
    [
        ("", {"betas": f"{LONG},outptu-300k"}, "the drop's metadata betas"),
        (f"{LONG},outptu-300k", {}, "the stack's parameter Betas"),
    ],
)
def test_an_unknown_beta_is_reported_as_such(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, stack: str, metadata: dict[str, str], where: str
) -> None:
    """The message has its name, who set it, what to change, and that nothing was charged; a corrected drop runs."""
    monkeypatch.setenv("CONVEYOR_BETAS", stack)
    notice = belt.finish(belt.upload(drop_of(2), metadata=metadata))
    receipt = belt.receipt()
    assert (receipt["status"], receipt["code"]) == ("refused", "beta-refused")
    assert f"outptu-300k (set by {where})" in receipt["reason"]
    assert LONG not in receipt["reason"]
    assert "for the `anthropic-beta` header" in receipt["words"]
    assert "nothing was charged" in plain(notice["message"])
    assert "stack's parameter Betas" in plain(notice["message"])
    assert (receipt["not_run"], sent(belt)) == (2, [])
    assert belt.finish(belt.upload(drop_of(2), metadata={"betas": LONG}))["status"] == "completed"


def test_betas_in_the_file_dialect_refuse_the_drop(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would not be sent to a file server, and every line that needs one would fail."""
    monkeypatch.setenv("CONVEYOR_BATCH_API", "files")
    notice: dict[str, Any] = belt.finish(belt.upload(drop_of(1), metadata={"betas": LONG}))
    assert belt.receipt()["code"] == "betas-not-taken"
    assert f"({LONG}) have no meaning with BatchApi=files: leave out" in plain(notice["message"])
    assert f"betas={LONG}" not in notice["message"]
    assert belt.finish(belt.upload(drop_of(1), "inbox/b.jsonl", {"betas": "none"}))["status"] == "completed"
