"""A drop of several batches is sent as the provider has room, and comes back as one ordered set of files."""

from collections import Counter
from typing import Any

import pytest

from tests.functions.belt import Belt, drop_of


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Let a batch take three requests."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "3"}


def check(belt: Belt, notice: dict[str, Any], count: int) -> None:
    """Hold outputs and receipt against the drop."""
    asked = [f"r-{number}" for number in range(1, count + 1)]
    results = [line["custom_id"] for line in belt.lines("results/", "results.jsonl")]
    failures = [line["custom_id"] for line in belt.lines("failures/", "failures.jsonl")]
    assert Counter(results + failures) == Counter(asked)
    assert results == [each for each in asked if each in set(results)]
    assert failures == [each for each in asked if each in set(failures)]
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["failures"]) == (count, len(results), len(failures))
    assert notice["status"] == receipt["status"] == "completed"


def test_a_drop_of_several_batches_comes_back_in_its_own_order(belt: Belt) -> None:
    """Whichever batch ends first."""
    belt.provider.configure(every={"2": "errored:api_error"})
    notice = belt.finish(belt.upload(drop_of(10)))
    check(belt, notice, 10)
    assert belt.creates() == (4, 4)
    assert belt.receipt()["outcomes"]["errored"] == 3
    assert belt.receipt()["ordered"] is True


def test_batches_are_sent_as_the_provider_has_room(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit is met by no refusal, since its own list says how full it is."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "6")
    belt.provider.configure(queue_limit=6, seconds=3600)
    check(belt, belt.finish(belt.upload(drop_of(10))), 10)
    assert belt.creates() == (4, 4)


def test_a_full_queue_is_obeyed_where_the_limit_is_not_known(belt: Belt) -> None:
    """The provider's refusal says so, and when to come again."""
    belt.provider.configure(queue_limit=3, seconds=7200)
    check(belt, belt.finish(belt.upload(drop_of(7))), 7)
    posts, created = belt.creates()
    assert created == 3
    assert posts <= 3 + 2 * (1 + 2 + 4 + 8 + 4 * 30)


def test_a_small_drop_is_not_starved_by_a_large_one_nor_it_by_many_small_ones(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has fewer batches under way goes first; among equals, who came first."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "6")
    belt.provider.configure(seconds=None)
    large = belt.upload(drop_of(12), "inbox/large.jsonl")
    belt.submit({"run": large})
    belt.submit({"run": large})  # two are under way, and there is no room for the third
    small = belt.upload(drop_of(3), "inbox/small.jsonl")
    assert belt.creates() == (2, 2)
    first = belt.stored(f"runs/{large}/batches/1/batch.json")
    belt.provider.configure(seconds=0)
    belt.provider.configure(seconds=None)
    assert first
    belt.submit({"run": large})
    assert belt.creates() == (2, 2)
    belt.submit({"run": small})
    assert belt.creates() == (3, 3)
    assert belt.stored(f"runs/{small}/batches/1/batch.json")
    belt.submit({"run": large})
    assert belt.creates() == (4, 4)


def test_a_refusal_in_the_middle_keeps_what_was_sent_and_tells_what_was_not(belt: Belt) -> None:
    """No line is lost: those never sent are failures, worth sending again."""
    belt.provider.fail("create", {"kind": "answer", "status": 402, "type": "billing_error"}, after=1)
    notice = belt.finish(belt.upload(drop_of(8)))
    check(belt, notice, 8)
    assert belt.creates() == (2, 1)
    receipt = belt.receipt()
    assert (receipt["outcomes"]["succeeded"], receipt["outcomes"]["canceled"]) == (3, 5)
    assert "billing_error" in receipt["reason"]
    assert {line["error"]["type"] for line in belt.lines("failures/", "failures.jsonl")} == {"never_sent"}
    retry = belt.read(f"failures/three/{receipt['run']}/retry.jsonl")
    assert retry == b"".join(line + b"\n" for line in drop_of(8).splitlines()[3:])


def test_an_undecided_batch_does_not_hold_up_the_others(belt: Belt) -> None:
    """Only its own lines wait until it is known what became of it."""
    belt.provider.fail("create", {"kind": "lose", "when": "before"})
    run = belt.upload(drop_of(6))
    belt.submit({"run": run})
    assert belt.creates() == (2, 1)
    assert belt.stored(f"runs/{run}/batches/2/batch.json")
    check(belt, belt.finish(run), 6)
    assert belt.creates() == (3, 2)


def test_a_batch_that_ended_early_is_split_early(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its results do not wait for the last batch."""
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "3")
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(6))
    belt.provider.configure(seconds=0)
    state = belt.poll(run)
    assert (state["next"], state["batches"]) == ("split", [1])


def test_results_that_do_not_fit_on_the_disk_are_written_as_they_come(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line once, and the receipt says that the order is not the drop's."""
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


def test_a_line_without_result_is_looked_for_also_where_the_disk_is_too_small(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three reads that agree, as everywhere; nothing is written before."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "100")
    belt.provider.configure(outcomes={"2": "missing"})
    assert belt.finish(belt.upload(drop_of(3)))["status"] == "completed"
    assert belt.receipt()["outcomes"]["missing"] == 1
    assert belt.turns.count("split") == 3
