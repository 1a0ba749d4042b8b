"""Each run has an entry in the index when it begins and one at its end; what a project has spent is a sum of these."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from conveyor.domain.keys import day_of
from conveyor.spend.index_entry import IndexEntry, StartEntry, read_index_entry
from conveyor.spend.spent import Costs, spent
from tests.support.belt import Belt, drop_of, request
from tests.support.gates import HELD, HOLD, stop
from tests.support.promises import agree, check

DATA = drop_of(3)
NOW = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
UNPRICED = b"".join(request(f"unpriced-{number}", model="model-of-another-vendor") + b"\n" for number in range(2))


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set fewer polls, since a run waits for days until it is declined."""
    return stack_settings | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


def entry_of(belt: Belt, run: str) -> IndexEntry:
    """Return the only entry of a run."""
    (entry,) = [entry for key in belt.stored("index/") if (entry := read_index_entry(key)) and entry.run == run]
    return entry


def put(belt: Belt, *entries: IndexEntry | StartEntry) -> None:
    """Write entries as earlier runs have."""
    for entry in entries:
        belt.s3.put_object(Bucket=belt.bucket, Key=entry.key, Body=b"")


def ended(moment: str, usd: str | None, project: str = "default", *, is_lower_bound: bool = False) -> IndexEntry:
    """Return the entry of a run that has ended; the moment begins its id."""
    cost = None if usd is None else Decimal(usd)
    return IndexEntry(project, f"{moment}Z-0123456789ab", "completed", 1, 1, 0, cost, is_lower_bound)


def test_a_run_that_has_ended_is_one_empty_object_with_its_counts_and_cost(belt: Belt) -> None:
    """A listing says how all runs of a month have ended."""
    run = belt.upload(DATA, metadata={"project": "team-a"})
    receipt = check(belt, run, belt.finish(run), DATA)
    key = entry_of(belt, run).key
    assert key == f"index/team-a/{day_of(run)}/{run}~completed~3-3-0~{Decimal(str(receipt['cost_usd'])).normalize():f}"
    assert belt.read(key) == b""
    assert receipt["cost_usd"] > 0


@pytest.mark.parametrize("metadata", [{}, {"dry-run": "yes"}, {"max-usd": "much"}], ids=["sent", "dry", "refused"])
def test_a_run_that_goes_on_is_one_empty_object_with_the_size_of_its_drop(belt: Belt, metadata: dict[str, str]) -> None:
    """A listing shows it, whatever becomes of it; only such runs need be read."""
    run = belt.upload(DATA, metadata=metadata | {"project": "team-a"})
    (key,) = belt.stored("index/")
    assert key == f"index/team-a/{day_of(run)}/{run}~started~{len(DATA)}~"
    assert belt.read(key) == b""


def test_an_event_that_is_repeated_adds_no_entry(belt: Belt) -> None:
    """EventBridge delivers at least once, also when the run has ended."""
    event = belt.drop(DATA)
    run = belt.submit(event)["run"]
    (key,) = belt.stored("index/")
    belt.submit(event)
    assert belt.stored("index/") == [key]
    belt.finish(run)
    ended = belt.stored("index/")
    belt.submit(event)
    assert belt.stored("index/") == ended


def test_an_upload_that_becomes_no_run_has_no_entry(belt: Belt) -> None:
    """It is a folder, or is gone before its event, which names no version."""
    folder, gone = belt.drop(b"", "inbox/folder/"), belt.drop(DATA, "inbox/gone.jsonl")
    del gone["detail"]["object"]["version-id"]
    belt.s3.delete_object(Bucket=belt.bucket, Key="inbox/gone.jsonl")
    for event in (folder, gone):
        assert belt.submit(event) == {"ignored": event["detail"]["object"]["key"]}
    assert belt.stored("index/") == []


def test_a_drop_that_cannot_be_read_has_the_size_that_its_event_says(belt: Belt) -> None:
    """Its run is refused, and a listing shows that, too."""
    event = belt.drop(DATA)
    found = event["detail"]["object"]
    belt.s3.delete_object(Bucket=belt.bucket, Key=found["key"], VersionId=found["version-id"])
    run = belt.submit(event)["run"]
    assert belt.stored("index/") == [StartEntry("default", run, len(DATA)).key]


@pytest.mark.parametrize(
    ("data", "metadata", "status"),
    [
        (DATA + b"nonsense\n", {}, "refused"),
        (DATA, {"dry-run": "yes"}, "estimated"),
        (DATA, HELD, "declined"),
        (DATA, HELD, "stopped"),
    ],
)
def test_a_run_that_sent_nothing_has_an_entry_too(
    belt: Belt, data: bytes, metadata: dict[str, str], status: str
) -> None:
    """It has cost nothing, and a listing that lacks it would look as if it still went on."""
    run = belt.upload(data, metadata=metadata)
    if status == "stopped":
        stop(belt, run)
    if status == "declined":
        belt.pass_time(HOLD)
    assert belt.finish(run)["status"] == status
    agree(belt, run)
    entry = entry_of(belt, run)
    assert (entry.status, entry.results, entry.failures, entry.usd) == (status, 0, 0, Decimal(0))


def test_a_run_without_a_known_price_has_no_cost_and_one_with_some_a_lower_bound(belt: Belt) -> None:
    """A sum must say that it is not all."""
    alone, mixed = belt.upload(UNPRICED, "inbox/alone.jsonl"), belt.upload(UNPRICED + DATA, "inbox/mixed.jsonl")
    for run in (alone, mixed):
        belt.finish(run)
        agree(belt, run)
    assert (entry_of(belt, alone).usd, entry_of(belt, alone).is_lower_bound) == (None, False)
    cost, day = entry_of(belt, mixed).usd, datetime.fromisoformat(day_of(mixed))
    assert cost is not None
    assert cost > 0
    assert entry_of(belt, mixed).is_lower_bound
    assert spent(belt.clients.bucket, "default", day).month == Costs(2, cost, is_lower_bound=True)


def test_a_report_that_is_written_again_adds_no_entry(belt: Belt) -> None:
    """Step Functions runs a task again of which it has no answer."""
    run = belt.upload(DATA)
    belt.finish(run)
    before = belt.stored("index/")
    assert belt.report(run)["status"] == "completed"
    assert belt.stored("index/") == before


def test_a_month_is_the_sum_of_its_runs_and_today_a_part_of_it(belt: Belt) -> None:
    """Of this project only, by the UTC day on which a run's id begins."""
    put(
        belt,
        ended("20261031T235959", "1000"),
        ended("20261101T000000", "1.10"),
        ended("20261129T120000", "0.000001"),
        ended("20261130T000000", "20"),
        ended("20261130T235959", "0.50"),
        ended("20261201T000000", "1000"),
        ended("20261130T120000", "1000", "team-a"),
        ended("20261130T120000", "1000", "default2"),
    )
    belt.s3.put_object(Bucket=belt.bucket, Key="index/default/2026-11-30/notes.txt", Body=b"")
    found = spent(belt.clients.bucket, "default", NOW)
    assert found.month == Costs(4, Decimal("21.600001"), is_lower_bound=False)
    assert found.today == Costs(2, Decimal("20.5"), is_lower_bound=False)


def test_a_run_that_has_not_ended_is_in_no_sum(belt: Belt) -> None:
    """What it has cost is not known yet, and one that has ended counts once."""
    paid = ended("20261130T000000", "20")
    put(belt, paid, StartEntry("default", paid.run, 1), StartEntry("default", "20261130T120000Z-0123456789ab", 5_000))
    exact = Costs(1, Decimal(20), is_lower_bound=False)
    assert spent(belt.clients.bucket, "default", NOW) == (exact, exact)


@pytest.mark.parametrize("more", [ended("20261102T000000", None), ended("20261102T000000", "1", is_lower_bound=True)])
def test_a_sum_of_costs_that_are_not_all_known_is_a_lower_bound(belt: Belt, more: IndexEntry) -> None:
    """That of another day is exact."""
    put(belt, ended("20261130T000000", "20"), more)
    found = spent(belt.clients.bucket, "default", NOW)
    assert (found.month.is_lower_bound, found.today) == (True, Costs(1, Decimal(20), is_lower_bound=False))


def test_a_month_is_one_listing(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request for 500 runs, whatever else is in the bucket."""
    listed = list[str]()
    whole = type(belt.clients.bucket).list

    def look(bucket: Any, prefix: str) -> list[str]:
        listed.append(prefix)
        return whole(bucket, prefix)

    monkeypatch.setattr(type(belt.clients.bucket), "list", look)
    assert spent(belt.clients.bucket, "team-a", NOW).month == Costs(0, Decimal(0), is_lower_bound=False)
    assert listed == ["index/team-a/2026-11-"]
