"""What a terminal can show, and texts of somebody else. Pure."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from conveyor.wording.marks import Mark
from conveyor.wording.numbers import size, transferred
from conveyor.wording.visible import visible
from conveyor_cli.screen.bar import Bar, Bars
from conveyor_cli.screen.terminal import Colour, Look, has_narrow_marks, is_coloured, is_utf8


@given(st.text(st.characters()))
def test_a_shown_text_cannot_move_the_cursor_or_turn_the_line(text: str) -> None:
    """Whatever it is made of, it is one line of characters that are seen."""
    assert visible(text).isprintable()
    assert visible(text, ascii_only=True).isascii()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 客户", "größe 客户"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\u202eevil\u2069", "\\u202eevil\\u2069"),
        ("a\u200bb\ufeffc", "a\\u200bb\\ufeffc"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_hidden_characters_are_escapes(text: str, shown: str) -> None:
    """Letters of any script stay as they are."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("env", "is_so"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, True),
    ],
)
def test_utf8_is_read_from_the_locale(env: dict[str, str], is_so: bool) -> None:  # noqa: FBT001 - expected
    """LC_ALL comes first, and what Python itself sets for the locale C does not count."""
    assert is_utf8(env, "utf-8") is is_so
    assert not is_utf8(env, "ascii")


@pytest.mark.parametrize("language", ["zh_CN", "ja_JP", "ko_KR"])
def test_marks_are_ascii_where_they_may_be_two_cells_wide(language: str) -> None:
    """Columns would not stand under each other."""
    assert not has_narrow_marks({"LANG": f"{language}.UTF-8"})
    assert has_narrow_marks({"LANG": "en_US.UTF-8"})


@pytest.mark.parametrize(
    ("choice", "env", "is_terminal", "is_so"),
    [
        (Colour.AUTO, {}, True, True),
        (Colour.AUTO, {}, False, False),
        (Colour.AUTO, {"NO_COLOR": ""}, True, True),
        (Colour.AUTO, {"NO_COLOR": "1"}, True, False),
        (Colour.AUTO, {"TERM": "dumb"}, True, False),
        (Colour.ALWAYS, {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        (Colour.NEVER, {}, True, False),
    ],
)
def test_when_there_are_colours(choice: Colour, env: dict[str, str], *, is_terminal: bool, is_so: bool) -> None:
    """An option comes first, then the environment."""
    assert is_coloured(choice, env, is_terminal=is_terminal) is is_so


@pytest.mark.parametrize(
    ("arguments", "look"),
    [
        (["runs"], Look()),
        (["runs", "--json", "--ascii", "--debug"], Look(json=True, ascii=True, debug=True)),
        (["runs", "--color", "never"], Look(Colour.NEVER)),
        (["runs", "--color=always"], Look(Colour.ALWAYS)),
        (["runs", "--color", "blue"], Look()),
        (["runs", "--color"], Look()),
    ],
)
def test_the_look_is_known_before_arguments_are_right(arguments: list[str], look: Look) -> None:
    """So that an error in them looks as it should."""
    assert Look.of(arguments) == look


def test_marks_differ_by_shape() -> None:
    """Colour is never the only signal."""
    assert len({mark.utf8 for mark in Mark}) == len({mark.in_ascii for mark in Mark}) == len(Mark)
    assert all(mark.in_ascii.isascii() and len(mark.utf8) == len(mark.in_ascii) == 1 for mark in Mark)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_400, "9.4 kB"), (99_949, "99.9 kB"), (99_950, "100 kB"),
        (148_000, "148 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (61_800_412, "61.8 MB"),
        (1_234_567_890, "1.2 GB"), (5_000_000_000_000_000, "5000 TB"),
    ],
)  # fmt: skip
def test_sizes(count: int, words: str) -> None:
    """Three digits at most, as they are said aloud."""
    assert size(count) == words


def test_how_much_of_a_size_is_there() -> None:
    """The unit is said once if it is the same."""
    assert transferred(37_700_000, 61_800_000) == "37.7 of 61.8 MB"
    assert transferred(377_000, 61_800_000) == "377 kB of 61.8 MB"


@pytest.mark.parametrize(("is_ascii", "cells"), [(False, "━" * 15 + "─" * 9), (True, "#" * 15 + "-" * 9)])
def test_a_bar_says_how_far_it_is_and_how_long_the_rest_takes(*, is_ascii: bool, cells: str) -> None:
    """It fits into 80 columns."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    bars = Bars(console, is_ascii=is_ascii, is_shown=True)
    bars.update(bars.begin("Uploading", 224_000_000, before=7), completed=143_000_000)
    with console.capture() as shown:
        console.print(bars.get_renderable())
    assert shown.get().rstrip() == f"  Uploading      {cells}  64%  143 of 224 MB, 4 s to go"


def test_nothing_is_drawn_without_a_terminal() -> None:
    """What takes long is said once."""
    written = io.StringIO()
    with Bar(Console(file=written), "Uploading", 224_000_000, is_ascii=False, is_shown=True) as bar:
        bar.tell(143_000_000)
    assert (written.getvalue(), bar.done) == ("Uploading 224 MB\n", 143_000_000)
