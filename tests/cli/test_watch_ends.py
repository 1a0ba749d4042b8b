"""How `conveyor watch` ends for runs that have ended, where AWS does not answer, and by Ctrl-C."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from msgspec.structs import replace

from conveyor.ledger.failure_counts import ErrorKind
from conveyor_cli.exits import Exit
from tests.cli.test_watch import EVERY, NAME, once_shown
from tests.support.belt import Belt, drop_of
from tests.support.command import SECONDS, Command
from tests.support.ended_runs import write_ended
from tests.support.examples import RUN
from tests.support.memory_aws.served import Served
from tests.support.receipts import EVERY as RECEIPTS

_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def put_into(belt: Belt) -> Callable[[str, bytes], object]:
    """Return what writes an object."""
    return lambda key, data: belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data)


@pytest.mark.parametrize(
    ("name", "code", "first"),
    [
        ("all answered", 0, "✓ All 40,000 requests of "),
        ("some failed", 1, "◆ 39,412 of 40,000 requests of team/articles were answered. 588 failed\n"),
        ("nothing succeeded", 3, "✗ None of the 300 requests of "),
        ("seen before", 3, "✗ team/articles was refused: the same bytes are run run-0 already"),
        ("estimated", 0, "✓ "),
        ("declined half-way", 5, "– The rest of "),  # noqa: RUF001
        ("stuck", 6, "✗ There are no results for 14,996 of 40,000 requests of team/articles\n"),
        ("unbalanced", 7, "✗ The counts of "),
    ],
)
def test_every_ending(desk: Command, belt: Belt, name: str, code: int, first: str) -> None:
    """The verdict alone is on stdout, and the exit code says the same."""
    ran = desk.call("watch", write_ended(put_into(belt), RECEIPTS[name]), *EVERY)
    assert (ran.exit, Exit(ran.exit)) == (code, Exit(code))
    assert ran.out.startswith(first)


def test_a_receipt_of_another_project_cannot_be_read(desk: Command, belt: Belt, aws: Served) -> None:
    """Then the index says how the run has ended, with the same exit code."""
    run = write_ended(put_into(belt), RECEIPTS["some failed"], has_receipt=False)
    ran = desk.call("watch", run, *EVERY)
    assert ran.exit == 1
    assert ran.out.startswith(f"◆ {RUN.name} has ended: done, 588 failed\n  39,412 of 40,000 requests have an answer")
    told = json.loads(desk.call("watch", run, *EVERY, "--json").out)
    assert (told["verdict"]["exit"], told["verdict"]["results"], told["verdict"]["retryable"]) == (1, 39_412, None)
    assert aws.asked["PUT"] == 0


def test_a_summary_for_ci(desk: Command, belt: Belt, tmp_path: Path) -> None:
    """As Markdown, at the end of the file: a job may have written to it before."""
    file = tmp_path / "summary.md"
    file.write_text("# Before\n")
    run = write_ended(put_into(belt), RECEIPTS["some failed"])
    assert desk.call("watch", run, *EVERY, "--summary", str(file)).exit == 1
    text = file.read_text()
    assert text.startswith("# Before\n## ◆ 39,412 of 40,000 requests of team/articles were answered. 588 failed\n")
    assert "| ✗ | all answered | 588 | failed, 1.5% |" in text
    assert f"    conveyor drop --retry {run}" in text


def test_credentials_that_expire_end_it(desk: Command, belt: Belt, aws: Served) -> None:
    """The run goes on, and the message says what to type. Exit code 8."""
    run = belt.upload(drop_of(3), NAME)
    with once_shown(aws, lambda: aws.refuse("LIST", 403, "ExpiredToken")):
        ran = desk.call("watch", run, *EVERY)
    assert (ran.exit, ran.out) == (8, "")
    assert "✗ Your AWS session has expired\n" in ran.error
    assert "aws sso login" in ran.error


def test_a_missing_permission_ends_it(desk: Command, belt: Belt, aws: Served) -> None:
    """Waiting would not help."""
    run = belt.upload(drop_of(3), NAME)
    aws.refuse("LIST", 403, "AccessDenied", "Access Denied")
    ran = desk.call("watch", run, *EVERY)
    assert (ran.exit, ran.error.splitlines()[0]) == (8, "✗ Not allowed: s3:ListBucket")


@pytest.mark.slow
def test_the_network_goes_and_comes_back(desk: Command, belt: Belt, aws: Served) -> None:
    """It is tried again, and said once; the run has gone on meanwhile."""
    run = belt.upload(drop_of(3), NAME)

    def gone_and_back() -> None:
        aws.refuse("LIST", 503, "SlowDown")
        belt.finish(run)
        before = aws.asked["LIST"]
        wait_for(lambda: aws.asked["LIST"] > before + 6)
        aws.refusals.clear()

    with once_shown(aws, gone_and_back):
        ran = desk.call("watch", run, *EVERY)
    assert ran.exit == 0
    assert ran.error.count("aws-unavailable AWS answers s3:ListBucket with SlowDown") == 1
    assert ran.out.startswith("✓ All 3 requests of ")


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    event, left = Event(), SECONDS * 100
    while not condition() and left:
        event.wait(0.01)
        left -= 1


@pytest.mark.slow
def test_ctrl_c_leaves_the_run_going(desk: Command, belt: Belt, aws: Served) -> None:
    """The last frame stays, and a line says how to return. Exit code 130."""
    run = belt.upload(drop_of(3), NAME)
    shown = Event()

    def look() -> None:
        wait_for(lambda: aws.asked["LIST"] > 4)
        shown.set()

    aws.asked.clear()
    thread = Thread(target=look)
    thread.start()
    ran = desk.interrupted_in_terminal(shown, "watch", run, *EVERY)
    thread.join()
    text = _MOVES.sub("", ran.out)
    assert ran.exit == 130
    assert "► Its batch is with the provider\n" in text
    assert text.rstrip().endswith(f"  Left. The run goes on; conveyor watch {run} returns to it.")
    assert "Traceback" not in text


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_the_verdict_stands_in_place_of_the_frame(
    desk: Command, belt: Belt, aws: Served, columns: int
) -> None:
    """Nothing is wider than the terminal, and no alternate screen is used."""
    run = belt.upload(drop_of(3), NAME)
    with once_shown(aws, lambda: belt.finish(run)):
        ran = desk.call_in_terminal("watch", run, *EVERY, columns=columns)
    assert ran.exit == 0
    text = _MOVES.sub("", ran.out)
    assert "► Its batch is with the provider" in text
    assert "\x1b[?1049h" not in ran.out
    assert "✓ All 3 requests of support/labels were answered" in text
    assert max(map(len, text.splitlines())) <= columns


@pytest.mark.slow
@pytest.mark.parametrize("name", ["some failed", "refused for its lines", "stuck"])
def test_a_verdict_fits_a_terminal(desk: Command, belt: Belt, name: str) -> None:
    """Only commands, which are copied whole, may be wider."""
    words = {"x_error": ErrorKind(588, {"a word " * 20: 500, "é\u202e" * 40: 88})}
    receipt = replace(RECEIPTS[name], errors=words) if name == "some failed" else RECEIPTS[name]
    ran = desk.call_in_terminal("watch", write_ended(put_into(belt), receipt), *EVERY)
    lines = [line for line in _MOVES.sub("", ran.out).splitlines() if not line.startswith("    ")]
    assert max(map(len, lines)) <= 80
    assert "\u202e" not in ran.out


@pytest.mark.slow
def test_a_terminal_without_colours_or_utf8(desk: Command, belt: Belt, aws: Served) -> None:
    """What moves the cursor is left, and nothing else."""
    run = belt.upload(drop_of(3), NAME)
    with once_shown(aws, lambda: belt.finish(run)):
        ran = desk.call_in_terminal("watch", run, *EVERY, NO_COLOR="1", LANG="C")
    assert ran.exit == 0
    assert not re.search(r"\x1b\[[0-9;]*m", ran.out)
    assert _MOVES.sub("", ran.out).isascii()
    assert "+ All 3 requests of" in ran.out


@pytest.mark.slow
def test_a_dumb_terminal_gets_lines(desk: Command, belt: Belt, aws: Served) -> None:
    """Nothing is redrawn there."""
    run = belt.upload(drop_of(3), NAME)
    with once_shown(aws, lambda: belt.finish(run)):
        ran = desk.call_in_terminal("watch", run, *EVERY, TERM="dumb")
    assert ran.exit == 0
    assert "\x1b" not in ran.out
    assert re.search(r"^\S+Z support/labels batches 1 under way", ran.out, re.MULTILINE)
