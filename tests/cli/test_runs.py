"""The list of runs: what it shows, and how few requests it needs."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from conveyor.domain.drop import STAMP
from conveyor.domain.status import Status
from conveyor.spend.index_entry import IndexEntry, StartEntry
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.gates import HELD
from tests.support.memory_aws.served import Served

NOW = datetime.now(UTC)
THIS_DAY = f"{NOW - timedelta(days=7):%-d %B}"


def finished(belt: Belt, key: str = "inbox/done.jsonl") -> str:
    """Drop a file and let its run end."""
    run = belt.upload(drop_of(3), key)
    belt.finish(run)
    return run


def ago(number: int, **time: float) -> str:
    """Return the id of a run of some time ago."""
    return f"{NOW - timedelta(**time):{STAMP}}-{number:012x}"


def write(belt: Belt, *entries: IndexEntry | StartEntry) -> None:
    """Write entries of the index."""
    for entry in entries:
        belt.s3.put_object(Bucket=belt.bucket, Key=entry.key, Body=b"")


def shown(text: str) -> list[list[str]]:
    """Return the lines of the table, in cells."""
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("  Run")), len(lines)) + 1
    return [re.split(r" {2,}", line.strip()) for line in lines[start:]]


def test_what_needs_a_person_comes_first_then_what_runs_then_what_ended(desk: Command, belt: Belt) -> None:
    """Each with its name, project, state, counts, cost, age and id."""
    done = finished(belt)
    held = belt.upload(drop_of(5), "inbox/support/held.jsonl", HELD)
    going = belt.upload(drop_of(4), "inbox/going.jsonl")
    ran = desk.call("runs")
    assert (ran.exit, ran.error) == (0, "")
    assert ran.out.startswith(
        f"3 runs since {THIS_DAY}: 1 under way, 1 needs you, 0 had failures, $0.00+.\n\n  Run "
    ), ran.out
    lines = shown(ran.out)
    assert [[*each[:6], each[-1]] for each in lines] == [
        ["‖ support/held", "default", "waiting for approval", "5", "-", "-", held],
        ["► going", "default", "with the provider", "4", "-", "-", going],
        ["✓ done", "default", "done", "3", "3", "0", done],
    ]
    assert lines[2][7] == "<$0.01"


def test_a_run_whose_calls_fail_does_not_wait_for_room(desk: Command, belt: Belt) -> None:
    """The list says so, and `watch` why, and since when."""
    belt.clients.settings = replace(belt.clients.settings, api_url="http://127.0.0.1:9")
    run = belt.upload(drop_of(3), "inbox/late.jsonl")
    assert [each[:3] for each in shown(desk.call("runs").out)] == [["! late", "default", "calls to the provider fail"]]
    (told,) = map(json.loads, desk.call("runs", "--json").out.splitlines())
    assert (told["state"], told["needs"]) == ("calls to the provider fail", None)
    assert f"is not undecided; it is {told['state']}" in desk.call("decide", run, "--submit-again").error


def test_a_run_whose_batch_cannot_be_asked_about_is_in_trouble(desk: Command, belt: Belt, aws: Served) -> None:
    """The names of its facts say so: it is found with the requests that any run costs."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(3), "inbox/going.jsonl")
    belt.poll(run)
    aws.reset()
    assert shown(desk.call("runs").out)[0][:3] == ["► going", "default", "with the provider"]
    usual = aws.asked["LIST"] + aws.asked["GET"]
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    for _ in range(2):
        belt.pass_time(60)
        belt.poll(run)
    aws.reset()
    assert shown(desk.call("runs").out)[0][:3] == ["! going", "default", "with the provider, calls fail"]
    assert aws.asked["LIST"] + aws.asked["GET"] == usual


def test_as_json(desk: Command, belt: Belt) -> None:
    """One object a line; money is text, and what is not known is null."""
    run = finished(belt)
    belt.upload(drop_of(5), "inbox/held.jsonl", HELD)
    held, done = map(json.loads, desk.call("runs", "--json").out.splitlines())
    assert (held["state"], held["needs"], held["cost_usd"], held["ended"]) == (
        "waiting for approval", "approve or stop", None, False,
    )  # fmt: skip
    received = datetime.strptime(run[:16], STAMP).replace(tzinfo=UTC)
    assert done | {"cost_usd": str(float(done["cost_usd"]) > 0)} == {
        "v": 1, "name": "done", "run": run, "project": "default", "state": "done", "needs": None, "ended": True,
        "requests": 3, "results": 3, "failures": 0, "cost_usd": "True", "forecast_usd": None,
        "received_at": f"{received:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


def write_ended(belt: Belt, count: int) -> None:
    """Write the index of runs that have ended, of which each tenth had a failure."""
    for number in range(count):
        run = ago(number, minutes=number)
        failures = int(number % 10 == 0)
        end = IndexEntry("shop", run, Status.COMPLETED, 10, 10 - failures, failures, Decimal("0.25"))
        write(belt, StartEntry("shop", run, 1000), end)


def test_a_thousand_runs_in_a_handful_of_requests(desk: Command, belt: Belt, aws: Served) -> None:
    """Twenty lines are shown, and the rest is a sum; only the shown ones are asked for their names."""
    write_ended(belt, 1000)
    aws.reset()
    ran = desk.call("runs")
    assert ran.out.startswith(f"1,000 runs since {THIS_DAY}: 0 under way, 0 need you, 100 had failures, $250.00.\n")
    assert ran.out.endswith("\n  and 980 older: --limit 0 shows all.\n")
    assert aws.asked["LIST"] <= 5
    assert aws.asked["GET"] == 20


def test_all_runs_are_shown_if_that_is_asked_for(desk: Command, belt: Belt) -> None:
    """With several requests at a time for their names."""
    write_ended(belt, 110)
    ran = desk.call("runs", "--limit", "0")
    assert len(shown(ran.out)) == 110
    assert "--limit" not in ran.out


def test_a_run_that_has_only_begun_is_read_from_its_facts(desk: Command, belt: Belt, aws: Served) -> None:
    """A few requests for each, and none for the facts of those that have ended."""
    finished(belt)
    belt.upload(drop_of(4), "inbox/going.jsonl")
    aws.reset()
    assert "with the provider" in desk.call("runs").out
    assert aws.asked["LIST"] + aws.asked["GET"] <= 9


def test_runs_of_earlier_versions_have_no_entries(desk: Command, belt: Belt) -> None:
    """They are found by their folders, and how they have ended is in their receipts."""
    finished(belt, "inbox/old.jsonl")
    belt.upload(drop_of(4), "inbox/going.jsonl")
    for key in belt.stored("index/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    lines = shown(desk.call("runs").out)
    assert [each[:4] for each in lines] == [
        ["► going", "default", "with the provider", "4"],
        ["✓ old", "default", "done", "3"],
    ]


def test_only_the_runs_of_a_project_and_of_the_last_days(desk: Command, belt: Belt) -> None:
    """The filter is repeated, so that a short list is not read as all."""
    entries = {
        name: IndexEntry(project, ago(number, days=days), Status.REFUSED, 0, 0, 0, Decimal())
        for number, (name, project, days) in enumerate(
            [("new", "shop", 1), ("old", "shop", 20), ("other", "legal", 1)], start=1
        )
    }
    write(belt, *entries.values())
    ran = desk.call("runs", "--project", "shop")
    assert ran.out.startswith(f"1 run of shop since {THIS_DAY}:")
    assert [each[-1] for each in shown(ran.out)] == [entries["new"].run]
    all_of_shop = desk.call("runs", "--project", "shop", "--since", "4w")
    assert [each[-1] for each in shown(all_of_shop.out)] == [entries["new"].run, entries["old"].run]
    assert desk.call("runs", "--since", f"{NOW:%Y-%m-%d}", "--project", "legal").out.startswith("No runs of legal")


def test_no_runs(desk: Command) -> None:
    """It says of which stack, so that a wrong one is noticed."""
    assert desk.call("runs").out == f"No runs since {THIS_DAY} in stack conveyor.\n"
    assert desk.call("runs", "--json").out == ""


def test_a_wrong_time(desk: Command) -> None:
    """What can be written is named."""
    ran = desk.call("runs", "--since", "yesterday")
    assert ran.exit == 2
    assert '"yesterday" is neither 7d, 12h or 2w, nor a day as 2026-11-01' in ran.error


def test_a_person_who_may_not_list(desk: Command, aws: Served) -> None:
    """It says which permission is missing."""
    aws.refuse("LIST", 403, "AccessDenied", "Access Denied")
    ran = desk.call("runs")
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error.startswith("✗ Not allowed: s3:ListBucket\n")


def test_a_narrow_terminal_shows_less_of_each_run(desk: Command, belt: Belt) -> None:
    """No line is wrapped; a long name is cut in its middle, since its end may be a date."""
    belt.upload(drop_of(3), "inbox/support/a-very-long-name-of-a-file-2026-11-30.jsonl", HELD)
    narrow, wide = (desk.call_in_terminal("runs", columns=columns) for columns in (80, 120))
    assert narrow.exit == wide.exit == 0
    assert max(map(len, narrow.plain.splitlines())) <= 80
    assert re.search(r"^‖ support/a-v.{,4}\.\..*-2026-11-30  default  waiting for approval", narrow.plain, re.MULTILINE)
    assert "Results" not in narrow.plain
    assert "Results" in wide.plain
    tiny = desk.call_in_terminal("runs", columns=40)
    assert "waiting for approval" in tiny.plain, "what is known is never cut to a wrong number or state"
    assert "\x1b[1;33m‖\x1b[0m" in narrow.out
