"""Streams that are closed, full, or read no further; and signals. No run is shown as ended because of them."""

import json
from signal import SIGTERM

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.desk_drops import Reaction, large_drop
from tests.support.memory_aws.served import Served

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(conveyor: Command, belt: Belt) -> Command:
    """Return the command of a user who has chosen the stack, with a run that waits."""
    conveyor.call("use", "conveyor")
    belt.upload(drop_of(3), "inbox/support/labels.jsonl", {"hold": "always"})
    return conveyor


@pytest.mark.parametrize("line", ["conveyor runs", "conveyor runs --json", "conveyor --help", "conveyor watch labels"])
def test_a_reader_that_has_gone_is_no_ending_of_a_run(desk: Command, line: str) -> None:
    """Exit code 1 would say that requests failed."""
    assert desk.in_shell(f"{line} 2>&1 | true") == (8, "", "")


def test_closed_streams(desk: Command) -> None:
    """Nothing is asked without an input, and nothing is written where nobody reads."""
    assert desk.in_shell("conveyor runs >&-") == (0, "", "")
    assert desk.in_shell("conveyor runs 2>&-")[0] == 0
    exit_code, out, error = desk.in_shell("conveyor approve labels --up-to 5 <&-")
    assert (exit_code, out, error.splitlines()[0]) == (2, out, "✗ approve needs a terminal, or --yes")


@pytest.mark.parametrize("options", ["", " --json"])
def test_a_full_disk_under_the_output(desk: Command, options: str) -> None:
    """It is no defect of the command."""
    exit_code, _, error = desk.in_shell(f"conveyor runs{options} > /dev/full")
    assert exit_code == 8
    told = json.loads(error)["error"]["message"] if options else error
    assert "The output cannot be written (no space left on device)" in told
    assert len(error.splitlines()) == 1


def test_sigterm_breaks_an_upload_off(conveyor: Command, aws: Served, reaction: Reaction, belt: Belt) -> None:
    """As Ctrl-C does: no part of it stays in the bucket to be paid for."""
    (conveyor.home / "tickets.jsonl").write_bytes(large_drop())
    aws.stall("PUT", seconds=2)
    ran = conveyor.interrupted(aws.stalled, "drop", "tickets.jsonl", by=SIGTERM)
    assert (ran.exit, belt.stored("inbox/"), reaction.runs) == (130, [], [])
    assert belt.s3.list_multipart_uploads(Bucket=belt.bucket).get("Uploads", []) == []
