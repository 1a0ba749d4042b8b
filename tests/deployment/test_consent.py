"""A yes is enough to deploy, unless something in the stack is lost."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from deployment.consent import is_wanted
from deployment.screen import Screen
from deployment.wish import Wish
from deployment.words.changes import Change

HARMLESS = [Change("Add", "Alarm", "AWS::CloudWatch::Alarm")]
LOSS = [Change("Remove", "Bucket", "AWS::S3::Bucket", policy="Delete")]
LOUD = b"!! Bucket is removed. You lose: all drops and results"


def asked(wish: Wish, changes: list[Change], typed: str) -> tuple[bool, bytes]:
    """Return what comes of an answer, and what is shown."""
    with CliRunner().isolation(input=f"{typed}\n") as streams:
        screen = Screen()
        screen.has_terminal = True
        return is_wanted(wish, screen, "conveyor", changes), streams[2].getvalue()


@pytest.mark.parametrize(("typed", "wanted"), [("y", True), ("n", False), ("", False)])
def test_a_person_says_yes(typed: str, wanted: bool) -> None:  # noqa: FBT001
    """Enter is a no."""
    assert asked(Wish(), HARMLESS, typed)[0] == wanted


@pytest.mark.parametrize(("typed", "wanted"), [("conveyor", True), ("y", False), ("", False), ("other", False)])
def test_where_something_is_lost_the_name_of_the_stack_is_typed(typed: str, wanted: bool) -> None:  # noqa: FBT001
    """What is lost is said loudly before."""
    answer, shown = asked(Wish(), LOSS, f"{typed}\n{typed}")
    assert answer == wanted
    assert LOUD in shown


def test_a_yes_beforehand_does_not_cover_a_loss() -> None:
    """It was given without knowing of it: CI stops."""
    assert asked(Wish(yes=True), HARMLESS, "")[0]
    answer, shown = asked(Wish(yes=True), LOSS, "")
    assert not answer
    assert LOUD in shown
    assert b"ACCEPT_LOSS=1" in shown
    assert asked(Wish(yes=True, accept_loss=True), LOSS, "")[0]
