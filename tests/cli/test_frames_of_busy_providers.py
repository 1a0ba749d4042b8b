"""What a frame says of a provider that answers requests about batches with HTTP 429."""

from datetime import timedelta

import pytest

from conveyor.ledger.run_facts import LastingTrouble, RetryAfterAnswer
from conveyor_cli.frames.snapshot import snapshot_of
from conveyor_cli.frames.trouble import hindrance_of
from tests.support.watched import NOW, SENT, facts_of, plan_of

WORDS = "The provider is busy, or a limit is reached (HTTP 429)"
BUSY = LastingTrouble("w", NOW - timedelta(minutes=40), "busy", NOW - timedelta(minutes=42), "HTTP 429")
PAUSE = RetryAfterAnswer("w", NOW - timedelta(minutes=1), NOW + timedelta(minutes=4), "HTTP 429")


@pytest.mark.parametrize(
    ("pause", "again"), [(None, "at each look"), (PAUSE, "in 4 min, since it asks not to be called before")]
)
def test_a_busy_provider_has_one_text_with_and_without_a_retry_after(
    pause: RetryAfterAnswer | None, again: str
) -> None:
    """It lasts since the first answer, and not since the last one that asked for a pause."""
    facts = facts_of(plan_of(2), {"1": SENT}, trouble=BUSY, pause=pause)
    hindrance = hindrance_of(facts)
    assert hindrance is not None
    assert (hindrance.code, hindrance.words, hindrance.since) == ("busy", WORDS, BUSY.since)
    assert f"The provider is asked again {again}, and the run goes on by itself." in snapshot_of(facts, NOW).said.more


def test_a_first_retry_after_names_its_reason_in_the_same_words() -> None:
    """One answer is no trouble that lasts: only the pause is said."""
    hindrance = hindrance_of(facts_of(plan_of(2), {"1": SENT}, pause=PAUSE))
    assert hindrance is not None
    assert (hindrance.code, hindrance.words.partition(": ")[2]) == ("retry-after", WORDS[0].lower() + WORDS[1:])
