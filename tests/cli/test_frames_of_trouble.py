"""What a frame says of trouble: the reason, since when, and what follows by itself."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from conveyor.domain.refusal import Cause, RefusalKind
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import AttemptRefused, AttemptUnknown, Submitted, Unread
from conveyor.ledger.run_facts import RetryAfterAnswer
from conveyor_cli.runs.facts import Facts, Lost, Refused
from tests.support.frames import AWAY, BUSY, DENIED, DOWN, FIRST, GONE, ONE_MINUTE, TOO_MANY, denied, drawn
from tests.support.watched import NOW, SENT, facts_of, plan_of


@pytest.mark.parametrize(
    ("facts", "first", "second"),
    [
        (
            facts_of(plan_of(2), {"1": SENT, "2": ("attempt-1.json", "refused-1.json")},
                     refused=Refused(BatchName("", 2), DOWN, NOW - 8 * ONE_MINUTE)),
            "! The provider is overloaded (HTTP 529 overloaded_error), for 8 min",
            "What was sent goes on. The next batch is tried again in 5 min.",
        ),
        (
            facts_of(plan_of(2), {"1": ("attempt-1.json", "unknown-1.json")},
                     lost=Lost(FIRST, AttemptUnknown("w", NOW - 3 * ONE_MINUTE, "ReadTimeout"))),
            "! The answer to the paid call for batch 1 was lost, 3 min ago",
            "It is not sent again until it is known whether it exists at the provider,",
        ),
        (
            facts_of(plan_of(2), {"1": SENT},
                     pause=RetryAfterAnswer("w", NOW - ONE_MINUTE, NOW + 4 * ONE_MINUTE, "HTTP 503")),
            "! The provider asked not to be called: the provider is not available (HTTP 503),",
            "1 min ago",
        ),
        (
            facts_of(plan_of(2), {"1": SENT, "2": SENT}, unread={FIRST: Unread("w", NOW - ONE_MINUTE, "ReadError")}),
            "! The results of batch 1 could not be read: the connection to the provider was",
            "lost while it responded (ReadError), 1 min ago",
        ),
        (
            facts_of(plan_of(2), {"1": SENT}, trouble=AWAY),
            "! The provider is not available (HTTP 503), for 42 min",
            "The provider is asked again at each look, and the run goes on by itself.",
        ),
        (
            facts_of(plan_of(2), {"1": SENT}, trouble=TOO_MANY),
            "! The provider is busy, or a limit is reached (HTTP 429), for 42 min",
            "The provider is asked again at each look, and the run goes on by itself.",
        ),
        (
            facts_of(plan_of(2), {"1": SENT}, trouble=GONE,
                     pause=RetryAfterAnswer("w", NOW - ONE_MINUTE, NOW + 4 * ONE_MINUTE, "HTTP 503")),
            "! The provider answers that it does not know a batch (HTTP 404), for 42 min",
            "It is asked for the batch again in 4 min, since it asks not to be called",
        ),
        (
            facts_of(plan_of(2), {"1": SENT, "2": SENT}, unread={FIRST: Unread("w", NOW, "ReadError"),
                     BatchName("", 2): Unread("w", NOW - ONE_MINUTE, "HTTP 404", gone=True)}),
            "! The results of batch 2 could not be read: the provider did not find what was",
            "requested (HTTP 404), 1 min ago",
        ),
        (
            facts_of(plan_of(2), {"1": SENT}, trouble=DENIED,
                     pause=RetryAfterAnswer("w", NOW - ONE_MINUTE, NOW + 4 * ONE_MINUTE, "HTTP 503")),
            "! The provider does not accept the credentials (HTTP 401), for 42 min",
            "The provider is asked again in 4 min, since it asks not to be called before,",
        ),
        (
            facts_of(plan_of(2), {"1": SENT},
                     sent={FIRST: Submitted("w", NOW, "b", NOW, NOW + timedelta(hours=5))}),
            "! 1 batch expires in less than 6 h",
            "96,000 requests are at risk. What expires is not charged.",
        ),
    ],
)  # fmt: skip
def test_trouble_is_said_first(facts: Facts, first: str, second: str) -> None:
    """With its reason, since when, and what follows by itself; the grid stays."""
    lines = drawn(facts)
    assert lines[0] == first
    assert lines[1].strip() == second
    assert [line for line in lines if line.startswith(("  ►", "  ·", "  ?"))]


def test_credentials_that_are_refused_are_a_persons_to_put_in_order() -> None:
    """The command is the one of the message. It can be pasted: a line that is full goes on in the next one."""
    facts = denied()
    assert drawn(facts)[-7:-3] == [
        "  The provider refuses the API key. Put a valid key of the same workspace into",
        "  the shell variable API_KEY, and run:",
        "    aws secretsmanager put-secret-value --secret-id conveyor/api-key \\",
        '      --secret-string "${API_KEY:?}"',
    ]
    of_an_earlier_version = drawn(facts._replace(run=replace(facts.run, key_secret="")))
    assert "  The provider refuses the API key. Put a valid key into the stack's secret" in of_an_earlier_version


def test_a_lost_answer_that_cannot_be_looked_for_says_so() -> None:
    """It is not known for another reason than usual."""
    lost = Lost(FIRST, AttemptUnknown("w", NOW - 3 * ONE_MINUTE, "ReadTimeout"))
    lines = drawn(facts_of(plan_of(2), {"1": ("attempt-1.json", "unknown-1.json")}, lost=lost, trouble=AWAY))
    assert lines[0] == "! The answer to the paid call for batch 1 was lost, 3 min ago"
    assert lines[3:6] == [
        "  Calls to the provider fail meanwhile: the provider is not available (HTTP",
        "  503).",
        "  The search ends by itself once they are answered: a batch that is not listed",
    ]


def test_a_provider_that_is_busy_is_no_trouble() -> None:
    """Nor is a call that was not made."""
    for refused in (BUSY, AttemptRefused("w", NOW, RefusalKind.LATER, 0, "resting", NOW, Cause.LIMIT)):
        batches = {"1": SENT, "2": ("attempt-1.json", "refused-1.json")}
        facts = facts_of(plan_of(2), batches, refused=Refused(BatchName("", 2), refused, NOW))
        assert drawn(facts)[0] == "► 1 of 2 batches is with the provider"
