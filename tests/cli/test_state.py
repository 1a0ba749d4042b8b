"""Where a run stands, in words, by the facts that exist."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.plan import Batch, Plan, Probe, ValidatedDrop
from conveyor.domain.refusal import AT_GATE, NOT_CALLED, RefusalKind
from conveyor.domain.status import STATUSES, Status
from conveyor.ledger.batch_facts import AttemptRefused
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.state import RunState, state_from
from conveyor.spend.index_entry import IndexEntry
from conveyor.wording.marks import Mark
from conveyor_cli.state import Group, ended, refused_attempt, state_of, with_trouble

RUN = "20261130T001253Z-3cb302623e0f"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TODAY = date(2026, 11, 30)
OPEN = Gate("w", NOW, open=True)
SENT = "attempt-1.json", "batch-1.json"
DONE = *SENT, "split-1.json", "part.json"
AWAY = "trouble-unavailable-20261130T113000Z.json"


def plan(batches: int = 3, probed: int = 0, rounds: int = 0) -> Plan:
    """Return a plan of batches of ten requests each."""
    cut = [Batch(number, number * 10 - 9, 0, requests=10) for number in range(1, batches + 1)]
    probe = Probe([], [Batch(1, 1, 0, requests=probed)], "f00") if probed else None
    of_rounds = {keys.round_leg(number): [Batch(1, 1, 0, requests=5)] for number in range(1, rounds + 1)}
    return Plan(ValidatedDrop(batches * 10, "f00", probe=probe, is_gated=True), cut, of_rounds)


def facts(*names: str, **batches: tuple[str, ...]) -> RunState:
    """Return the state of a run with a plan and an open gate. `batches`: facts by `b1`, or `probe_1`, `round1_1`."""
    listed = [f"{keys.ledger(RUN)}{name}" for name in ("plan.jsonl", "gate-1.json", *names)]
    for place, of_batch in batches.items():
        leg, _, number = place.replace("round", "round-").rpartition("_")
        prefix = keys.batch(keys.leg_id(RUN, leg), number.removeprefix("b"))
        listed += [f"{prefix}{name}" for name in of_batch]
    return state_from(RUN, listed)


@pytest.mark.parametrize(
    ("run_state", "of", "words"),
    [
        (facts(), plan(), "waiting to be sent"),
        (facts(b1=("attempt-1.json",)), plan(), "sending"),
        (facts(b1=("attempt-1.json", "refused-1.json")), plan(), "waiting for room"),
        (facts(b1=("attempt-1.json", "unknown-1.json")), plan(), "looking for a batch"),
        (facts(b1=SENT), plan(1), "with the provider"),
        (facts(b1=SENT), plan(), "0 of 3 batches done"),
        (facts(b1=DONE, b2=SENT), plan(), "1 of 3 batches done"),
        (facts(b1=DONE, b2=(*SENT, "split-1.json")), plan(2), "splitting, 1 of 2 done"),
        (facts(b1=(*SENT, "split-1.json", "unread-1.json")), plan(1), "with the provider"),
        (facts(b1=DONE), plan(1), "writing results"),
        (facts("budget-2026-11-30.json"), plan(), "waiting for budget"),
        (facts("budget-2026-11-29.json"), plan(), "waiting to be sent"),
        (facts("budget-2026-11-30.json", b1=SENT), plan(), "0 of 3 batches done"),
        (facts(), plan(1, probed=5), "waiting to be sent"),
        (facts(probe_1=SENT), plan(1, probed=5), "probing"),
        (facts(probe_1=DONE, b1=SENT), plan(1, probed=5), "with the provider"),
        (facts("round-1.json", b1=DONE), plan(1), "round 1"),
        (facts("round-1.json", "round-1/plan.jsonl", b1=DONE, round1_1=SENT), plan(1, rounds=1), "round 1"),
        (facts("round-1.json", "round-1/plan.jsonl", b1=DONE, round1_1=DONE), plan(1, rounds=1), "writing results"),
        (facts("refused.json", b1=SENT), plan(), "ending, 1 batch left"),
        (facts("refused.json", b1=DONE), plan(), "writing results"),
        (facts("refused.json"), plan(), "writing results"),
    ],
)
def test_a_run_with_a_plan(run_state: RunState, of: Plan, words: str) -> None:
    """The words say what all else waits for; nobody has to do anything."""
    state = state_of(run_state, of, OPEN, TODAY)
    assert (state.words, state.group, state.needs) == (words, Group.UNDER_WAY, None)


def refusal(status: int, kind: str = "api_error") -> AttemptRefused:
    """Return a refusal of an attempt that another one follows."""
    return AttemptRefused("w", NOW, RefusalKind.LATER, status, kind, NOW)


IN_VAIN = "attempt-1.json", "refused-1.json"


@pytest.mark.parametrize(
    ("refused", "first", "next_one"),
    [
        (None, "waiting for room", "0 of 3 batches done"),
        (refusal(429), "waiting for room", "0 of 3 batches done"),
        (refusal(200, "token_limit_exceeded"), "waiting for room", "0 of 3 batches done"),
        (refusal(0, NOT_CALLED), "waiting for room", "0 of 3 batches done"),
        (refusal(0, AT_GATE), "waiting for room", "0 of 3 batches done"),
        (refusal(0, "unreachable"), "calls to the provider fail", "0 of 3 batches done, calls fail"),
        (refusal(401), "calls to the provider fail", "0 of 3 batches done, calls fail"),
        (refusal(529), "calls to the provider fail", "0 of 3 batches done, calls fail"),
    ],
)
def test_calls_that_fail_are_not_called_want_of_room(refused: AttemptRefused | None, first: str, next_one: str) -> None:
    """Whether the next batch is the first one or not: somebody who waits for room would wait in vain."""
    alone, beside = facts(b1=IN_VAIN), facts(b1=SENT, b2=IN_VAIN)
    for run_state, words in ((alone, first), (beside, next_one)):
        state = with_trouble(state_of(run_state, plan(), OPEN, TODAY), run_state, refused)
        assert (state.words, state.group) == (words, Group.UNDER_WAY)
        assert state.mark is (Mark.LOOK if "fail" in words else Mark.UNDER_WAY)


def test_a_run_that_ends_sends_nothing_and_one_that_waits_for_a_person_says_that() -> None:
    """What failed before is no trouble any more, or not what matters."""
    assert refused_attempt(plan(), facts("refused.json", b1=SENT, b2=IN_VAIN)) is None
    closed = Gate("w", NOW, open=False, reasons=[Reason(ReasonCode.CEILING, "because")])
    troubled = facts(AWAY, b1=SENT, b2=IN_VAIN)
    held = state_of(troubled, plan(), closed, TODAY)
    assert with_trouble(held, troubled, refusal(529)) == held


@pytest.mark.parametrize(
    ("run_state", "words"),
    [
        (facts(AWAY, b1=SENT), "0 of 3 batches done, calls fail"),
        (facts(AWAY, "refused.json", b1=SENT), "ending, 1 batch left, calls fail"),
        (facts(AWAY, b1=("attempt-1.json", "unknown-1.json")), "looking for a batch, calls fail"),
        (facts(AWAY, b1=IN_VAIN), "waiting for room, calls fail"),
        (facts(AWAY, AWAY.replace("trouble", "over"), b1=SENT), "0 of 3 batches done"),
    ],
)
def test_calls_about_batches_under_way_that_fail_are_known_by_the_names_of_facts(
    run_state: RunState, words: str
) -> None:
    """So the list of runs needs no request more."""
    state = with_trouble(state_of(run_state, plan(), OPEN, TODAY), run_state, refusal(429))
    assert (state.words, state.group) == (words, Group.UNDER_WAY)
    assert state.mark is (Mark.LOOK if "fail" in words else Mark.UNDER_WAY)


def test_a_run_without_a_plan() -> None:
    """Its drop is read, or is refused and the receipt is about to come."""
    state = replace(facts(), planned=False)
    assert state_of(state, None, None, TODAY).words == "received"
    assert state_of(replace(state, validating=True), None, None, TODAY).words == "validating"
    assert state_of(replace(state, validating=True, refused=True), None, None, TODAY).words == "refused"


@pytest.mark.parametrize(
    ("code", "words", "needs"),
    [
        (ReasonCode.CEILING, "waiting for approval", "approve or stop"),
        (ReasonCode.PAUSED, "paused", "approve or stop"),
        (ReasonCode.BUDGETS_UNREAD, "waiting for budgets.json", "repair it"),
    ],
)
def test_a_closed_gate_needs_a_person(code: ReasonCode, words: str, needs: str) -> None:
    """Also while batches that were sent before go on."""
    closed = Gate("w", NOW, open=False, reasons=[Reason(code, "because")], need_usd=Decimal(1))
    state = state_of(facts(b1=SENT), plan(), closed, TODAY)
    assert (state.words, state.group, state.mark, state.needs) == (words, Group.NEEDS_YOU, Mark.WAITS, needs)
    assert state_of(facts("passed-1.json", b1=SENT), plan(), closed, TODAY).group is Group.UNDER_WAY
    assert state_of(facts(b1=SENT), plan(1), closed, TODAY).words == "with the provider", "nothing is left to pay for"


def test_every_final_status_has_words_and_ends_the_run() -> None:
    """The words of a status that is added later are its own name."""
    for status in (each for each, about in STATUSES.items() if about.is_final):
        state = ended(IndexEntry("p", RUN, status, 3, 2, 1, Decimal(1)))
        assert state.group is Group.ENDED
        assert state.words
    assert ended(IndexEntry("p", RUN, Status.COMPLETED, 3, 3, 0, None)).mark is Mark.OK
    assert ended(IndexEntry("p", RUN, Status.COMPLETED, 3000, 1, 2999, None)).words == "done, 2,999 failed"
    assert ended(IndexEntry("p", RUN, Status.STUCK, 3, 0, 3, None)).mark is Mark.ERROR
