"""docs/tables.md shows the screens as they are, for the sample."""

import io
import re
import shlex
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from conveyor_cli.preparing.counting import Counting
from conveyor_cli.screen.live import LiveFrame
from tests.support.command import Command
from tests.support.drops import plain_check, settings
from tests.support.wrong_files import type_of_file

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs" / "tables.md").read_text()
SAMPLE = PROJECT / "samples" / "tickets"
SCREENS = re.findall(r"^```console\n\$ conveyor ((?:.*\\\n)*.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)


@pytest.fixture
def conveyor(tmp_path: Path) -> Command:
    """Return the command in a folder with the sample."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "wrong.md").write_text("Sort this ticket: {{ body }}\n")
    return Command(tmp_path, {})


@pytest.mark.parametrize(("typed", "shown"), SCREENS, ids=[typed[:70] for typed, _ in SCREENS])
def test_a_screen_of_prepare_is_as_the_page_shows_it(conveyor: Command, typed: str, shown: str) -> None:
    """In a terminal of 80 columns; no line is wider, but commands."""
    ran = conveyor.call_in_terminal(*shlex.split(typed.replace("\\\n", "")))
    lines = [line.rstrip() for line in ran.plain.splitlines()]
    assert lines == shown.splitlines()
    assert [line for line in lines if len(line) > 80 and not line.startswith(("    ", "{"))] == []


def test_the_stack_accepts_what_was_written(conveyor: Command) -> None:
    """It is a file of requests without a fault, and the columns that are kept are in it."""
    options = ["--template", "prompt.md", "--model", "claude-haiku-4-5", "--id", "ticket", "--schema", "answer.json"]
    assert conveyor.call("prepare", "tickets.csv", *options).exit == 0
    written = (conveyor.home / "tickets.jsonl").read_bytes()
    found = plain_check(written, settings(default_max_tokens=0), 10)
    assert (found.requests, found.faults, type_of_file(written)) == (300, [], None)
    assert written.splitlines()[0].endswith(
        b'"ticket":"ticket-480001","created_at":"2026-11-02T07:33Z","region":"APAC"}'
    )


def test_the_prompt_of_the_page_is_that_of_the_sample() -> None:
    """A reader tries it."""
    assert f"```jinja\n{(SAMPLE / 'prompt.md').read_text()}```\n" in PAGE


def test_a_wide_terminal_says_how_input_was_estimated(conveyor: Command) -> None:
    """And shows more of the first request."""
    wide = ["tickets.csv", "--template", "prompt.md", "--model", "claude-haiku-4-5"]
    shown = conveyor.call_in_terminal("prepare", *wide, columns=120).plain
    assert "How input was estimated" in shown
    assert max(map(len, shown.splitlines())) <= 120


def test_a_locale_without_utf8(conveyor: Command) -> None:
    """Gets ASCII, also of what the prompt holds."""
    (conveyor.home / "t.csv").write_text("text\nZoë 🎉 " + "x" * 200 + "\n")
    (conveyor.home / "prompt.md").write_text("{{ text }}")
    ran = conveyor.call("prepare", "t.csv", "--template", "prompt.md", "--model", "m-1", "--ascii")
    assert ran.out.isascii()
    assert "user        Zo\\xeb" in ran.out
    assert "xxx...\n" in ran.out
    assert "What they can cost: no bound (1 request with models without a known price)." in ran.out


def test_a_long_table_shows_how_many_rows_are_read() -> None:
    """From one second on, at most twice in a second, and nothing of it afterwards."""
    out, at = io.StringIO(), iter([0.0, 0.4, 1.2, 1.3, 61.0])
    with Counting(Terminal(out), clock=lambda: next(at)) as counting:
        for rows in (1, 120_000, 130_000, 2_000_000):
            counting.tell(rows)
    drawn = re.findall(r"Preparing   .*? s\b", out.getvalue())
    assert list(dict.fromkeys(drawn)) == ["Preparing   120,000 rows, 1 s", "Preparing   2,000,000 rows, 61 s"]
    assert out.getvalue().rstrip("\x1b[?25hm").endswith("\x1b[2K")


class Terminal:
    """A terminal whose output can be read."""

    is_live = True

    def __init__(self, out: io.StringIO) -> None:
        self._out = out

    def live(self) -> LiveFrame:
        """Return a frame in it."""
        return LiveFrame(Console(file=self._out, force_terminal=True, width=80))
