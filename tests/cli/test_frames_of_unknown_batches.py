"""What a frame says of a batch that the provider does not know any more."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import Unread
from conveyor.ledger.run_facts import LastingTrouble
from conveyor.poll.message import Trouble, troubled_notice
from conveyor_cli.frames.snapshot import snapshot_of
from tests.support.examples import SENT as SENDER
from tests.support.watched import NOW, SENT, facts_of, plan_of

FIRST = BatchName("", 1)
GONE = LastingTrouble("w", NOW, "gone", NOW - timedelta(minutes=42), "HTTP 404", NOW + timedelta(hours=27))


@pytest.mark.parametrize(
    "more", [{"trouble": GONE}, {"unread": {FIRST: Unread("w", NOW, "HTTP 404", gone=True)}}], ids=["batch", "results"]
)
def test_a_batch_that_the_provider_does_not_know_has_the_command_of_the_message(more: dict[str, Any]) -> None:
    """It may belong to another workspace than the key; the message says the same after hours."""
    facts = facts_of(plan_of(2), {"1": SENT}, **more)
    facts = facts._replace(run=replace(facts.run, key_secret="conveyor/api-key"))  # noqa: S106 - its name
    steps = snapshot_of(facts, NOW).said.steps
    said = troubled_notice(facts.run, Trouble("HTTP 404", NOW), "conveyor/api-key", SENDER, NOW).message
    assert [" ".join(step.words.split()) in " ".join(said.split()) for step in steps] == [True]
    assert str(steps[0].command) in said
    of_an_earlier_version = snapshot_of(facts._replace(run=replace(facts.run, key_secret="")), NOW).said.steps
    assert "into the stack's secret" in of_an_earlier_version[0].words
    assert of_an_earlier_version[0].command is None


def test_a_batch_that_the_provider_does_not_know_is_given_up_in_the_end() -> None:
    """A person who knows that it was deleted can stop the run before."""
    facts = facts_of(plan_of(2), {"1": SENT}, trouble=GONE)
    words = "Else the batch is given up in 1 d 3 h at the latest: its results are lost, and may have been charged."
    assert words in snapshot_of(facts, NOW).said.more


def test_a_batch_is_not_said_to_be_given_up_when_the_moment_of_another_one_has_passed() -> None:
    """The ledger has the moment of the first of them."""
    facts = facts_of(plan_of(2), {"1": SENT}, trouble=replace(GONE, ends=NOW - timedelta(hours=2)))
    more = snapshot_of(facts, NOW).said.more
    assert "asked for the batch again at each look" in " ".join(more)
    assert "given up" not in " ".join(more)
