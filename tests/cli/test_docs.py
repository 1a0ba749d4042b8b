"""docs/command.md shows the screens as they are."""

import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.drop import RUN_ID_FORM
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.page.page import page_of
from conveyor_cli.exits import EXITS
from conveyor_cli.frames.frame import frame_of
from conveyor_cli.frames.snapshot import snapshot_of
from tests.support.belt import drop_of
from tests.support.belt import request as request_of
from tests.support.command import Command
from tests.support.desk_drops import deploy
from tests.support.desk_files import TICKETS, write_files
from tests.support.desk_runs import write_runs, write_undecided
from tests.support.ended_runs import ID, write_ended
from tests.support.frames import TWELVE, denied, place
from tests.support.memory_aws.bucket import BucketInMemory
from tests.support.memory_aws.served import Served
from tests.support.memory_aws.stacks import ACCOUNT
from tests.support.receipts import EVERY
from tests.support.watched import NOW, facts_of, plan_of

PAGE = (Path(__file__).parents[2] / "docs" / "command.md").read_text()
SCREENS = re.findall(r"^```console ?(\S*)\n\$ conveyor ?(.*)\n((?:.*\n)+?)```$", PAGE, re.MULTILINE)
SHOWN_ACCOUNT = "111122223333"
DENIED = (
    f"User: arn:aws:sts::{SHOWN_ACCOUNT}:assumed-role/dropper/anna is not authorized to perform: "
    f"cloudformation:DescribeStacks on resource: arn:aws:cloudformation:us-east-1:{SHOWN_ACCOUNT}:stack/conveyor/* "
    "because no identity-based policy allows the cloudformation:DescribeStacks action"
)


def the_bucket(aws: Served) -> BucketInMemory:
    """Return the bucket of the stack."""
    return aws.memory.s3.buckets[aws.memory.stacks.named["conveyor"].outputs["BucketName"]]


def five_runs(conveyor: Command, aws: Served) -> None:
    """Choose the stack, which has some runs."""
    conveyor.call("use", "conveyor")
    write_runs(the_bucket(aws))


def some_files(conveyor: Command, aws: Served) -> None:
    """Choose a stack whose parameters are the defaults, with files to drop."""
    deploy(aws, HoldAboveUsd="100", ProbeAbove="1000", RetryRounds="2")
    bad: dict[int, dict[str, object]] = {3: {"max_tokens": 0}, 5: {"stream": True}}
    lines = [request_of(f"t-{number}", **bad.get(number, {})) + b"\n" for number in range(1, 2001)]
    (conveyor.home / "tickets.jsonl").write_bytes(drop_of(2000))
    (conveyor.home / "november.jsonl").write_bytes(b"".join(lines) + lines[0])
    (conveyor.home / "requests.json").write_bytes(b"[" + b",".join(drop_of(3).splitlines()) + b"]")


def files(conveyor: Command, aws: Served) -> None:
    """Do the same, with the files of one of them, and of its retry."""
    five_runs(conveyor, aws)
    write_files(the_bucket(aws))


def tables(conveyor: Command, aws: Served) -> None:
    """Do the same, with the table that the requests came from."""
    files(conveyor, aws)
    rows = [f"ticket-{number},2026-11-02\n" for number in range(1, TICKETS + 1)]
    (conveyor.home / "tickets.csv").write_text("ticket,created_at\n" + "".join(rows))


def tickets(conveyor: Command, aws: Served) -> None:
    """Choose the stack, which has a run of which some requests have failed."""
    conveyor.call("use", "conveyor")
    bucket = the_bucket(aws)
    words = {"text content blocks must be non-empty": 412, "`temperature` is deprecated for this model.": 38}
    errors = {
        "invalid_request_error": ErrorKind(450, words),
        "overloaded_error": ErrorKind(121, {"Overloaded": 121}),
        "api_error": ErrorKind(17, {"Internal server error": 17}),
    }
    stops = {"claude-haiku-4-5": {"end_turn": 38_208, "max_tokens": 1_204}}
    name, drop = "tickets-2026-11", {**EVERY["some failed"].drop, "key": "inbox/tickets-2026-11.jsonl"}
    told = replace(EVERY["some failed"], name=name, drop=drop, errors=errors, stop_reasons=stops)
    told = replace(told, forecast_usd=Decimal("61.40"), run=ID)
    write_ended(lambda key, data: bucket.put(key, data, {}), told)
    bucket.put(keys.report(name, ID), page_of(told).encode(), {})


def undecided(conveyor: Command, aws: Served) -> None:
    """Choose the stack, which has an undecided run."""
    conveyor.call("use", "conveyor")
    write_undecided(the_bucket(aws))


SCENES: dict[str, Callable[[Command, Served], object]] = {
    "": lambda _conveyor, _aws: None,
    "no-credentials": lambda conveyor, _: conveyor.env.update(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""),
    "no-network": lambda conveyor, _: conveyor.env.update(AWS_ENDPOINT_URL="http://127.0.0.1:9"),
    "no-region": lambda conveyor, _: conveyor.env.update(AWS_DEFAULT_REGION=""),
    "denied": lambda _, aws: aws.refuse("DescribeStacks", 403, "AccessDenied", DENIED),
    "expired": lambda _, aws: aws.refuse("DescribeStacks", 403, "ExpiredToken"),
    "runs": five_runs,
    "files": files,
    "tables": tables,
    "held": five_runs,
    "ended": tickets,
    "drops": some_files,
    "undecided": undecided,
}
"""What is not as it should be, by the name beside the fence."""
ASKED = {"runs": "", "undecided": "adopt msgbatch_01Ab"}
"""Scenes in which the words that a command asks for are typed: its own name, or these."""


@pytest.mark.parametrize("screen", SCREENS, ids=[" ".join(each[:2]) for each in SCREENS])
def test_a_screen_is_as_the_page_shows_it(
    conveyor: Command, aws: Served, request: pytest.FixtureRequest, screen: tuple[str, str, str]
) -> None:
    """Word for word, but for names that differ from user to user."""
    scene, typed, shown = screen
    if scene == "drops":
        request.getfixturevalue("reaction")
    SCENES[scene](conveyor, aws)
    arguments = shlex.split(typed)
    is_asked = scene in ASKED and "--json" not in arguments
    ran = (
        conveyor.call_in_terminal(*arguments, typed=f"{ASKED[scene] or arguments[0]}\n")
        if is_asked
        else conveyor.call(*arguments)
    )
    said = re.sub(r"\d\d [A-Z][a-z]{2}( +)\d\d:\d\d UTC", r"03 Dec\g<1>14:02 UTC", ran.error + ran.plain)
    said = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-24T08:15:06Z", said)
    if scene == "drops":
        said = re.sub(r"\d+\.\d s$", "0.4 s", said, flags=re.MULTILINE)
        said = RUN_ID_FORM.sub("20261130T081502Z-5c1e7a90b3d4", said)
    week_ago = datetime.now(UTC) - timedelta(days=7)
    names = {
        aws.memory.stacks.named["conveyor"].outputs["BucketName"]: "conveyor-bucket-95ae346baf445",
        str(conveyor.home): "/home/anna",
        ACCOUNT: SHOWN_ACCOUNT,
        f"{week_ago:%-d %B}": "23 November",
    }
    for name, stands_for in names.items():
        said = said.replace(name, stands_for)
    assert [line.rstrip() for line in said.splitlines()] == shown.splitlines()


def test_the_frames_are_as_the_page_shows_them() -> None:
    """In a terminal of 80 columns: one of a run that is well, and one of a run in trouble."""
    shown = re.findall(r"^```text frame\n((?:.*\n)+?)```$", PAGE, re.MULTILINE)
    frames = [frame_of(snapshot_of(facts, NOW), place()) for facts in (facts_of(plan_of(12), TWELVE), denied())]
    assert [[line.plain.rstrip() for line in frame] for frame in frames] == [each.splitlines() for each in shown]


def test_every_scene_is_shown() -> None:
    """Each has its screen, and the page has no others."""
    assert {scene for scene, _, _ in SCREENS} == SCENES.keys()


def test_the_page_has_every_exit_code() -> None:
    """With the words of the help."""
    table = PAGE.partition("## Exit codes")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE) == [(str(int(c)), t) for c, t in EXITS.items()]
