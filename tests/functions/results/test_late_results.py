"""Results are never abandoned, and every wait has an end."""

from datetime import timedelta

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.promises import plain
from tests.support.settings import tune


def test_interrupted_results_are_read_again_at_growing_intervals(belt: Belt) -> None:
    """Each read starts from the beginning, and nothing is counted twice."""
    belt.provider.fail("results", {"kind": "cut", "at": 700}, times=4)
    began = belt.moment
    run = belt.upload(drop_of(5))
    assert belt.finish(run)["status"] == "completed"
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == [f"r-{n}" for n in range(1, 6)]
    assert belt.steps.count("split") == 5
    assert belt.moment - began >= timedelta(seconds=30 + 60 + 120 + 240)
    assert belt.receipt()["batches"][0]["repeated"] == 0


def test_a_batch_that_is_404_for_a_while_is_not_given_up(belt: Belt) -> None:
    """The provider is known to answer 404 for batches that exist."""
    belt.provider.fail("retrieve", {"kind": "answer", "status": 404}, times=5)
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "completed"
    assert belt.creates() == (1, 1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_revoked_while_polling_ends_no_run(belt: Belt, status: int) -> None:
    """The batch runs on, and polls are retried until there is a valid key."""
    belt.provider.fail("retrieve", {"kind": "answer", "status": status}, times=8)
    run = belt.upload(drop_of(2))
    assert belt.poll(run)["trouble"]["reason"] == f"HTTP {status}"
    assert belt.finish(run)["status"] == "completed"
    assert belt.notices == []


@pytest.mark.usefixtures("seldom")
def test_a_batch_beyond_its_expiry_time_is_cancelled_and_its_results_are_kept(belt: Belt) -> None:
    """It is cancelled an hour after it should have ended."""
    belt.provider.configure(seconds=None, expire=False, canceling_seconds=60)
    began = belt.moment
    assert belt.finish(belt.upload(drop_of(4)))["status"] == "completed"
    assert timedelta(hours=25) <= belt.moment - began <= timedelta(hours=26)
    assert belt.provider.stats()["calls"]["cancel"] == 1
    receipt = belt.receipt()
    assert (receipt["outcomes"]["succeeded"], receipt["outcomes"]["canceled"]) == (2, 2)


@pytest.mark.usefixtures("seldom")
def test_a_cancel_that_never_ends_ends_the_run_as_stuck(belt: Belt) -> None:
    """After six hours a message warns not to send the drop again unchecked."""
    belt.provider.configure(seconds=None, expire=False, canceling_seconds=None)
    began = belt.moment
    notice = belt.finish(belt.upload(drop_of(4)))
    assert notice["status"] == "stuck"
    assert "may pay twice" in plain(notice["message"])
    assert belt.creates() == (1, 1)
    assert belt.moment - began >= timedelta(hours=31)
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["failures"], receipt["retryable"]) == (4, 4, 0), (
        "sending them again may be charged again"
    )
    failures = belt.lines("failures/", "failures.jsonl")
    assert [(line["custom_id"], line["outcome"]) for line in failures] == [(f"r-{n}", "stuck") for n in range(1, 5)]


@pytest.mark.usefixtures("seldom")
def test_a_stuck_batch_does_not_hold_back_the_results_of_the_others(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their results are joined with the stuck batch's lines as failures."""
    tune(monkeypatch, max_requests_per_batch=3)
    belt.provider.fail("results", {"kind": "answer", "status": 500}, times=None, batch=2)
    run = belt.upload(drop_of(7))
    while len(belt.facts(run, "part")) < 2:
        state = belt.poll(run)
        if state["next"] == "submit":
            belt.submit({"run": run})
        for batch in state["batches"]:
            belt.split(run, batch)
        belt.pass_time(60)
    belt.pass_time(29 * 86_400)
    notice = belt.finish(run)
    assert notice["status"] == "stuck"
    assert "no results for 3 of 7 requests" in notice["subject"]
    receipt = belt.receipt()
    assert (receipt["results"], receipt["failures"], receipt["outcomes"]["stuck"]) == (4, 3, 3)
    results = belt.lines("results/", "results.jsonl")
    assert [line["custom_id"] for line in results] == ["r-1", "r-2", "r-3", "r-7"]
    assert [line["custom_id"] for line in belt.lines("failures/", "failures.jsonl")] == ["r-4", "r-5", "r-6"]
    assert belt.read(f"failures/three/{run}/retry.jsonl") == b"", "sending them again may be charged again"
    assert belt.creates() == (3, 3)


@pytest.mark.usefixtures("seldom")
def test_unreadable_results_are_given_up_after_the_providers_retention_time(belt: Belt) -> None:
    """After 29 days, and not before."""
    belt.provider.fail("results", {"kind": "answer", "status": 500}, times=None)
    run = belt.upload(drop_of(1))
    for days in (0, 28):
        belt.pass_time(days * 86_400)
        assert belt.poll(run)["next"] == "split"
        assert belt.split(run)["status"] == "unread"
    belt.pass_time(86_400)
    notice = belt.finish(run)
    assert notice["status"] == "stuck"
    assert "29 days" in plain(notice["message"])


def test_a_second_batch_known_from_our_own_create_response_is_cancelled(belt: Belt) -> None:
    """The ledger has one batch; another one that was created for us must not run on."""
    belt.provider.configure(seconds=None)
    other = belt.upload(drop_of(2), "inbox/other.jsonl")
    (theirs,) = [key for key in belt.stored(f"runs/{other}/") if key.endswith("/batch-1.json")]
    batch = belt.read(theirs)
    storage = belt.clients.bucket
    put = storage._client.put_object  # noqa: SLF001

    def another_was_faster(**call: object) -> object:
        key = str(call["Key"])
        if key.endswith("/batch-1.json"):
            belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=batch)
        return put(**call)  # type: ignore[arg-type]

    storage._client.put_object = another_was_faster  # type: ignore[assignment,method-assign]  # noqa: SLF001
    try:
        run = belt.upload(drop_of(2))
    finally:
        storage._client.put_object = put  # type: ignore[method-assign]  # noqa: SLF001
    (duplicate,) = [key for key in belt.stored(f"runs/{run}/") if "duplicate-" in key]
    cancelled = [item["id"] for item in belt.provider.stats()["batches"] if item["cancel_initiated"]]
    assert [f"duplicate-{name}.json" for name in cancelled] == [duplicate.rsplit("/", 1)[-1]]
