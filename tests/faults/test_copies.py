"""The copies in which histories crash: each is as the process was before the function, and none fails in silence."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.faults.copies import crash_at_each
from tests.support.faults.taps import Call, Crash, Point, Taps

CALLS = [["PUT a", "PUT b"], ["PUT c"], ["PUT d", "PUT e"]]
"""The calls of three functions."""


def play(file: Path, taps: Taps) -> None:
    """Play the functions, repeat each that crashes, and write down which calls were made in this process."""
    made = list[str]()
    for calls in CALLS:
        for _ in range(2):
            taps.begin()
            try:
                for name in calls:
                    taps(Call(name, changes=True), "before")
                    made.append(name[-1])
                    with file.open("a") as log:
                        log.write(name[-1])
                    taps(Call(name, changes=True), "after")
            except Crash:
                made.append("!")
            else:
                break
    with file.with_name("made").open("a") as log:
        log.write("".join(made) + "\n")


@pytest.fixture
def whole(tmp_path: Path) -> Taps:
    """Return the calls of the history without a crash."""
    taps = Taps()
    play(tmp_path / "whole", taps)
    (tmp_path / "made").unlink()
    return taps


def test_what_comes_before_a_crash_is_played_once_for_all_crashes(tmp_path: Path, whole: Taps) -> None:
    """Each crash has a history with all that came before it; only the function that crashes is played again."""
    crash_at_each(partial(play, tmp_path / "log"), whole, [Point(1, "after"), Point(2, "before"), Point(4, "before")])
    assert (tmp_path / "made").read_text().split() == ["ab!abcde", "ab!cde", "abcd!de"]
    assert (tmp_path / "log").read_text() == "ababcdeabcdecdde"


def test_what_goes_wrong_in_a_copy_is_told(tmp_path: Path, whole: Taps) -> None:
    """With its traceback, and the point."""

    def play_wrongly(taps: Taps) -> None:
        play(tmp_path / "log", taps)
        assert not taps.crashed, "something is lost"

    with pytest.raises(AssertionError, match=r"(?s)number=2.*in play_wrongly.*something is lost"):
        crash_at_each(play_wrongly, whole, [Point(2, "after")])


def test_what_a_destructor_raises_in_a_copy_is_told(tmp_path: Path, whole: Taps) -> None:
    """Nobody catches it, as with a file that is never closed."""

    class Odd:
        def __del__(self) -> None:
            raise ValueError("a file was left open")

    def play_wrongly(taps: Taps) -> None:
        play(tmp_path / "log", taps)
        Odd()

    with pytest.raises(AssertionError, match="a file was left open"):
        crash_at_each(play_wrongly, whole, [Point(0, "after")])


def test_a_point_that_no_history_reaches_is_told(tmp_path: Path, whole: Taps) -> None:
    """Whether a copy does not get to it, or no copy is made."""
    whole.first.add(7)
    for number, words in ((6, "happened only once"), (8, "no function had")):
        with pytest.raises(AssertionError, match=words):
            crash_at_each(partial(play, tmp_path / "log"), whole, [Point(number, "before")])
