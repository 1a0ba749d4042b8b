"""A drop of several batches comes back as one ordered set of files, whatever the outcome of each batch."""

import pytest

from conveyor.domain.drop import nonce
from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import crash_at
from tests.support.promises import check
from tests.support.settings import tune


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set three requests per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "3"}


def test_a_drop_of_several_batches_comes_back_in_its_own_order(belt: Belt) -> None:
    """Whichever batch ends first, the order is that of the drop."""
    belt.provider.configure(every={"2": "errored:api_error"})
    run = belt.upload(drop_of(10))
    receipt = check(belt, run, belt.finish(run), drop_of(10))
    assert belt.creates() == (4, 4)
    assert receipt["outcomes"]["errored"] == 3
    assert receipt["ordered"] is True
    assert [batch["requests"] for batch in receipt["batches"]] == [3, 3, 3, 1]


def test_a_full_queue_with_an_unknown_limit_leads_to_retries(belt: Belt) -> None:
    """The provider refuses the batch, and each attempt waits longer than the previous one."""
    belt.provider.configure(queue_limit=3, seconds=7200)
    run = belt.upload(drop_of(7))
    check(belt, run, belt.finish(run), drop_of(7))
    posts, created = belt.creates()
    assert created == 3
    assert 3 < posts <= 3 + 2 * 9


def test_a_refusal_in_the_middle_keeps_sent_batches_and_reports_unsent_lines(belt: Belt) -> None:
    """No line is lost: unsent lines are retryable failures."""
    belt.provider.fail("create", {"kind": "answer", "status": 402, "type": "billing_error"}, after=1)
    run = belt.upload(drop_of(8))
    receipt = check(belt, run, belt.finish(run), drop_of(8))
    assert belt.creates() == (2, 1)
    assert (receipt["outcomes"]["succeeded"], receipt["outcomes"]["canceled"]) == (3, 5)
    assert "billing_error" in receipt["reason"]
    assert {line["error"]["type"] for line in belt.lines("failures/", "failures.jsonl")} == {"never_sent"}
    retry = belt.read(f"failures/three/{run}/retry.jsonl")
    assert retry == b"".join(line + b"\n" for line in drop_of(8).splitlines()[3:])


def test_a_drop_whose_first_batch_is_refused_is_refused_as_a_whole(belt: Belt) -> None:
    """Nothing was sent, so nothing is split, and only the receipt is written."""
    belt.provider.fail("create", {"kind": "answer", "status": 402, "type": "billing_error"})
    run = belt.upload(drop_of(8))
    assert belt.finish(run)["status"] == "refused"
    assert belt.creates() == (1, 0)
    assert belt.stored("results/") + belt.stored("failures/") == [
        f"results/three/{run}/receipt.json",
        f"results/three/{run}/report.html",
    ]


def test_a_stop_in_the_middle_collects_sent_batches_and_reports_unsent_lines(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running batches are cancelled, no other batch is sent, and no line is lost."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "6")
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(11))
    belt.submit({"run": run})
    assert belt.creates() == (2, 2)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    receipt = check(belt, run, belt.finish(run), drop_of(11), "stopped")
    assert belt.creates() == (2, 2)
    assert all(batch["cancel_initiated"] for batch in belt.provider.stats()["batches"])
    assert receipt["code"] == "stopped"
    assert (receipt["outcomes"]["succeeded"], receipt["outcomes"]["canceled"]) == (2, 9)
    never = [
        line["line"] for line in belt.lines("failures/", "failures.jsonl") if line["error"]["type"] == "never_sent"
    ]
    assert never == [7, 8, 9, 10, 11]
    asked = drop_of(11).splitlines()
    assert belt.read(f"failures/three/{run}/retry.jsonl").splitlines() == [*asked[1:3], *asked[4:]]


def test_a_stop_before_the_first_batch_was_sent_is_a_stop_too(belt: Belt) -> None:
    """Nothing was charged, and the receipt says so."""
    belt.provider.fail("create", {"kind": "answer", "status": 429}, times=None)
    run = belt.upload(drop_of(8))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    assert belt.finish(run)["status"] == "stopped"
    assert belt.receipt()["code"] == "stopped"


def test_an_undecided_batch_does_not_hold_up_the_others(belt: Belt) -> None:
    """Only its own lines wait until its outcome is known."""
    belt.provider.fail("create", {"kind": "lose", "when": "before"})
    run = belt.upload(drop_of(6))
    belt.submit({"run": run})
    assert belt.creates() == (2, 1)
    assert belt.stored(f"runs/{run}/batches/2/batch-1.json")
    check(belt, run, belt.finish(run), drop_of(6))
    assert belt.creates() == (3, 2)


def test_two_lost_batches_of_the_same_size_are_identified_by_their_results(belt: Belt) -> None:
    """Both create responses were lost; the ids in the results identify the batches."""
    belt.provider.fail("create", {"kind": "lose", "when": "after"}, times=2)
    belt.provider.configure(every={"2": "errored:api_error"})
    run = belt.upload(drop_of(6))
    receipt = check(belt, run, belt.finish(run), drop_of(6))
    assert belt.creates() == (2, 2)
    made = {batch["id"]: batch["first_custom_id"] for batch in belt.provider.stats()["batches"]}
    assert [made[batch["id"]] for batch in receipt["batches"]] == [f"{nonce(run)}-1", f"{nonce(run)}-4"]
    assert all(batch["adopted"] for batch in receipt["batches"])


def claims(belt: Belt) -> dict[str, bool]:
    """Return whether each batch at the provider is claimed, by its first line."""
    return {
        batch["first_custom_id"].rpartition("-")[2]: bool(belt.stored(f"claims/batches/{batch['id']}"))
        for batch in belt.provider.stats()["batches"]
    }


def test_a_crash_before_a_claim_leaves_it_to_the_next_submit(belt: Belt) -> None:
    """The claim is written before the next paid call."""
    run = belt.upload(drop_of(9))
    with crash_at(belt.clients, "before", "PutObject claims/batches/", nth=2):  # the first one is batch 1's, again
        belt.submit({"run": run})
    assert belt.stored(f"runs/{run}/batches/2/batch-1.json")
    assert claims(belt) == {"1": True, "4": False}
    belt.submit({"run": run})
    assert claims(belt) == {"1": True, "4": True, "7": True}
    check(belt, run, belt.finish(run), drop_of(9))
    assert belt.creates() == (3, 3)


def test_a_crash_before_the_claim_of_an_earlier_batch_that_was_sent_late_leaves_it_to_the_next_poll(
    belt: Belt,
) -> None:
    """Submit checks the highest batch number, which may not be the batch sent last."""
    belt.provider.fail("create", {"kind": "lose", "when": "before"})
    run = belt.upload(drop_of(6))
    belt.submit({"run": run})
    for _ in range(60):
        if (state := belt.poll(run))["next"] == "submit":
            break
        for batch in state["batches"]:
            belt.split(run, batch)
        belt.pass_time(state["wait_seconds"])
    with crash_at(belt.clients, "before", "PutObject claims/batches/", nth=2):
        belt.submit({"run": run})
    assert claims(belt) == {"4": True, "1": False}
    belt.poll(run)
    assert claims(belt) == {"4": True, "1": True}
    check(belt, run, belt.finish(run), drop_of(6))
    assert belt.creates() == (3, 2)


def test_retry_jsonl_keeps_the_settings_of_the_drop(belt: Belt) -> None:
    """Whichever batches its lines come from: the joined file is copied into inbox/ unchanged."""
    belt.provider.configure(every={"2": "expired"})
    data, own = drop_of(7) + b"nonsense\n", {"on-invalid": "skip", "default-max-tokens": "5"}
    run = belt.upload(data, metadata=own | {"owner": "us"})
    belt.finish(run)
    key = f"failures/three/{run}/retry.jsonl"
    assert belt.read(key).splitlines() == [data.splitlines()[number] for number in (1, 4)]
    kept = belt.s3.head_object(Bucket=belt.bucket, Key=key)["Metadata"]
    assert kept == own | {"betas": "none", "max-invalid-percent": "50", "retry-rounds": "0", "retry-of": run}


def test_invalid_lines_are_failures_in_the_drops_order(belt: Belt) -> None:
    """They are in order among the other failures, and each fault is listed once."""
    lines = drop_of(7).splitlines()
    data = b"\n".join([b"[]", *lines[:4], b"nonsense", *lines[4:], b"17"])
    run = belt.upload(data, metadata={"on-invalid": "skip"})
    assert belt.finish(run)["status"] == "completed"
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["outcomes"]["invalid"]) == (10, 7, 3)
    assert [line["line"] for line in belt.lines("failures/", "failures.jsonl")] == [1, 6, 10]
    assert [line["line"] for line in belt.lines("failures/", "invalid.jsonl")] == [1, 6, 10]


def test_a_batch_that_ended_early_is_split_early(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its split does not wait for the last batch."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "3")
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(6))
    belt.provider.configure(seconds=0)
    state = belt.poll(run)
    assert (state["next"], state["batches"]) == ("split", [1])


def test_results_that_do_not_fit_on_the_disk_are_written_as_they_arrive(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line comes once, and the receipt says that the order is not the drop's."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "900")
    belt.provider.configure(every={"2": "errored:api_error"})
    belt.provider.fail("results", {"kind": "spoil", "repeated": [1], "foreign": ["stranger"]}, times=None)
    data = drop_of(6) + b"nonsense\n"
    notice = belt.finish(belt.upload(data, metadata={"on-invalid": "skip"}))
    assert notice["status"] == "completed"
    receipt = belt.receipt()
    assert (receipt["ordered"], receipt["requests"], receipt["outcomes"]["invalid"]) == (False, 7, 1)
    ids = [line["custom_id"] for name in ("results", "failures") for line in belt.lines(f"{name}/", f"{name}.jsonl")]
    assert sorted(filter(None, ids)) == [f"r-{number}" for number in range(1, 7)]
    assert sum(batch["foreign"] for batch in receipt["batches"]) == len(receipt["batches"])
    assert sum(batch["repeated"] for batch in receipt["batches"]) == len(receipt["batches"])
    asked = data.splitlines()
    assert belt.read(f"failures/three/{receipt['run']}/retry.jsonl").splitlines() == [asked[n] for n in (1, 4)]


def test_a_missing_result_is_read_again_even_if_the_disk_is_too_small(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three reads must agree, as always, before anything is written."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "100")
    belt.provider.configure(outcomes={"2": "missing"})
    assert belt.finish(belt.upload(drop_of(3)))["status"] == "completed"
    assert belt.receipt()["outcomes"]["missing"] == 1
    assert belt.steps.count("split") == 3


def test_trouble_is_reported_while_batches_wait_for_the_queue(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large drop may wait for weeks, so one message reports the trouble meanwhile."""
    tune(monkeypatch, max_requests_per_batch=3)
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "6")
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(9))
    while belt.poll(run)["next"] == "submit" and belt.creates()[0] < 2:
        belt.submit({"run": run})
        belt.pass_time(60)
    belt.provider.fail("retrieve", {"kind": "answer", "status": 500}, times=None)
    state = belt.poll(run)
    nexts = []
    for _ in range(30):
        nexts.append(state["next"])
        if state["next"] == "submit":
            belt.submit({"run": run})
        belt.pass_time(900)
        state = belt.poll(run)
    assert [notice["status"] for notice in belt.notices] == ["troubled"]
    assert nexts.count("notify") == 1
    assert nexts[nexts.index("notify") + 1] == "submit"
