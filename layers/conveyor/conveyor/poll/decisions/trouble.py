"""Trouble that lasts: what one poll remembers of it for the next, which facts follow, and when a message is due. Pure.

A provider that fails every other request is no trouble that lasts: it is written down once two checks in a row have
met it, so that a run has one pair of facts in two polls at most.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from conveyor.domain.observed import TroubleWith, WaitsFor
from conveyor.domain.schedule import Next
from conveyor.ledger.run_facts import BUSY, GONE, LastingTrouble
from conveyor.ledger.state import RunState
from conveyor.poll.decisions.decide import decide_step
from conveyor.poll.decisions.decision import Decision, Decisions
from conveyor.wording.trouble import is_about_room, trouble_with


class KnownTrouble(msgspec.Struct):
    """What the state machine's state carries of trouble from one poll to the next."""

    reason: str
    since: datetime
    notified: bool = False
    """Whether a message about it has been sent."""
    notified_gone: bool = False
    """Whether a message has said that a batch the provider does not know may have been deleted."""
    kinds: dict[str, datetime] = {}
    """Since when there has been trouble of each kind that there is."""


def kinds_of_trouble(decisions: Decisions) -> dict[str, str]:
    """Return each kind of trouble that there is, with one reason: what fails, or that there is no room.

    What a person has written under `control/`, and is not understood, is no trouble: they are told at once. A request
    that failed beside it is.
    """
    reasons = (each.failed if each.is_answer else each.trouble for each in decisions.values())
    kinds = ((WaitsFor.ROOM if is_about_room(each) else trouble_with(each), each) for each in reasons if each)
    return {str(kind): reason for kind, reason in kinds}


def kinds_that_fail(decisions: Decisions) -> dict[str, str]:
    """Return each kind of trouble that requests of this very check have met, as the ledger names it, with one reason.

    A batch that finds no room waits. A request about a batch that is answered with HTTP 429 fails.
    """
    return {_kind_of(each, each.failed): each.failed for each in decisions.values() if each.failed}


def _kind_of(decision: Decision, failed: str) -> str:
    if is_about_room(failed):
        return BUSY
    kind = trouble_with(failed)
    return GONE if decision.ends and kind is TroubleWith.OTHER else kind


def first_trouble(decisions: Decisions) -> Decision | None:
    """Return the decision whose trouble a message reports: an answer to a person comes before other trouble."""
    troubled = [decision for decision in decisions.values() if decision.trouble]
    return min(troubled, key=lambda decision: not decision.is_answer, default=None)


def known_trouble(
    decisions: Decisions, before: KnownTrouble | None, now: datetime, *, is_paused: bool = False
) -> KnownTrouble | None:
    """Return the trouble with the moment at which it began, and whether a message about it has been sent.

    What is known stays known while the provider is not asked about some batches, or at all: `is_paused`.
    """
    troubled, earlier = first_trouble(decisions), before if is_paused or _skips(decisions) else None
    if troubled is None or troubled.trouble is None:
        return earlier
    kinds = {kind: before.kinds.get(kind, now) if before else now for kind in _all_kinds(decisions)}
    kinds |= earlier.kinds if earlier else {}
    if before is None:
        return KnownTrouble(troubled.trouble, now, kinds=kinds)
    notified = before.notified and (before.reason == troubled.trouble or not troubled.is_answer)
    notified = notified and (before.notified_gone or not troubled.ends)
    return KnownTrouble(troubled.trouble, before.since, notified, before.notified_gone, kinds)


def is_due(trouble: KnownTrouble, troubled: Decision, patience: timedelta, now: datetime) -> bool:
    """Tell whether a message about trouble is due: after some hours, or at once as an answer to a person."""
    return not trouble.notified and (troubled.is_answer or now - trouble.since >= patience)


def begun_troubles(
    decisions: Decisions, before: KnownTrouble | None, run_state: RunState, now: datetime, writer: str
) -> Iterator[LastingTrouble]:
    """Yield the facts of trouble that this check and the one before have met; each kind is open once.

    Only of requests of this check: other trouble has facts. `before`: None also in an execution that knows nothing.
    """
    is_open = set(map(LastingTrouble.kind_at, run_state.open_troubles))
    for kind, reason in kinds_that_fail(decisions).items():
        if before and kind in before.kinds and kind not in is_open:
            ends = _first_end(decisions) if kind == GONE else None
            fact = LastingTrouble(writer, now, kind, before.kinds[kind], reason, ends)
            # A poll that wrote its end and crashed remembers it all the same: what it meets then is another one.
            yield replace(fact, since=now) if fact.place in run_state.troubles else fact


def ended_troubles(decisions: Decisions, run_state: RunState, *, is_paused: bool) -> list[str]:
    """Return the places of trouble in the ledger that this check has not met, for whatever reason it knows.

    `is_paused`: the provider's Retry-After lasts. What it was not asked may fail as before, until the run is over.
    """
    met = _all_kinds(decisions)
    over = (place for place in run_state.open_troubles if LastingTrouble.kind_at(place) not in met)
    is_last = decide_step(decisions.values()) is Next.REPORT
    return sorted(over) if is_last or not (is_paused or _skips(decisions)) else []


def _first_end(decisions: Decisions) -> datetime | None:
    return min((each.ends for each in decisions.values() if each.failed and each.ends), default=None)


def _all_kinds(decisions: Decisions) -> set[str]:
    return {*kinds_of_trouble(decisions), *kinds_that_fail(decisions)}


def _skips(decisions: Decisions) -> bool:
    return any(decision.is_skipped for decision in decisions.values())
