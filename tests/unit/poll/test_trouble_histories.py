"""How often trouble is written and ends, whatever sequence of answers the checks of a run meet."""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from conveyor.ledger.run_facts import LastingTrouble
from conveyor.ledger.state import RunState
from conveyor.poll.decisions.trouble import KnownTrouble, begun_troubles, ended_troubles, known_trouble
from tests.support.examples import NOW
from tests.support.troubles import check


class Check(NamedTuple):
    """One poll of a history."""

    asked: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    is_paused: bool = False
    is_skipped: bool = False
    crashes: bool = False
    """Whether it dies after its writes: the next one gets the memory that this one got."""
    forgets: bool = False
    """Whether the next one is the first of an execution that knows nothing."""


class History:
    """Polls of a run, one a minute, and what they have written."""

    def __init__(self) -> None:
        self.run_state, self.begun, self.now = RunState(), list[str](), NOW
        self.memory: KnownTrouble | None = None

    @property
    def lasting(self) -> list[str]:
        """The kinds that are open."""
        return [LastingTrouble.kind_at(place) for place in self.run_state.open_troubles]

    def poll(self, each: Check) -> None:
        """Poll once."""
        self.now += timedelta(minutes=1)
        decisions = check(*each.asked, known=tuple(each.known), is_skipped=each.is_skipped)
        new = [fact.place for fact in begun_troubles(decisions, self.memory, self.run_state, self.now, "w")]
        over = ended_troubles(decisions, self.memory, self.run_state, is_paused=each.is_paused)
        self.begun += new
        self.run_state.troubles |= set(new)
        self.run_state.ended_troubles |= set(over)
        after = known_trouble(decisions, self.memory, self.now, is_paused=each.is_paused)
        self.memory = None if each.forgets else self.memory if each.crashes else after

    def most_begun(self) -> int:
        """Return how often the kind was written that was written most often."""
        return max(Counter(map(LastingTrouble.kind_at, self.begun)).values(), default=0)


FAILURES = ["HTTP 503", "HTTP 529", "HTTP 401", "HTTP 429", "HTTP 400"]
REASONS = st.frozensets(st.sampled_from(FAILURES), max_size=2)
CHECKS = st.builds(Check, REASONS, REASONS, *[st.booleans()] * 4)
FAILING = st.frozensets(st.sampled_from(FAILURES), min_size=1, max_size=2).map(Check)
UNASKED = st.sampled_from([Check(is_skipped=True), Check(is_paused=True)])


@given(st.lists(CHECKS, max_size=30))
def test_no_history_writes_more_than_a_pair_in_two_polls_or_leaves_open_what_is_not_met(history: list[Check]) -> None:
    """Whatever fails, pauses, crashes and is forgotten: a fact is written once, and a kind is open once."""
    polls = History()
    for each in history:
        polls.poll(each)
        assert len(set(polls.lasting)) == len(polls.lasting)
        is_well = not (each.asked or each.known or each.is_paused or each.is_skipped)
        assert not (is_well and polls.lasting)
    assert len(set(polls.begun)) == len(polls.begun)
    assert polls.most_begun() <= len(history) / 2


@given(st.lists(FAILING | UNASKED, max_size=60))
def test_any_failures_without_a_success_are_soon_written_and_seldom_end(history: list[Check]) -> None:
    """Whatever statuses take turns: some trouble is open from the sixth failure on, and until a request succeeds."""
    polls, failures = History(), 0
    for each in history:
        polls.poll(each)
        failures += bool(each.asked)
        assert polls.lasting or failures < 6
    assert polls.most_begun() <= 1 + failures / 8
    polls.poll(Check())
    assert not polls.lasting


@given(st.lists(FAILING | st.just(Check()), max_size=40))
def test_a_kind_begins_once_in_three_checks_at_most(history: list[Check]) -> None:
    """It takes two checks to begin, and one to end."""
    polls = History()
    for each in history:
        polls.poll(each)
    assert polls.most_begun() <= (len(history) + 1) / 3
