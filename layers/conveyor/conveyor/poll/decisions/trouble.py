"""Trouble that lasts: what one poll remembers of it for the next, which facts follow, and when a message is due. Pure.

A provider that fails every other request is no trouble that lasts: a kind is written down once two checks have met it,
and in each check between them requests failed otherwise. So statuses that alternate are trouble, too. It is over once
no request of a check fails. Where others go on failing, it is over after some checks that have not met it, so that
kinds that take turns do not begin and end each time.
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

_MOST_MISSED = 6
"""Checks in a row that met other kinds, after which a kind is over: one more than there are kinds that fail."""


class KnownTrouble(msgspec.Struct):
    """What the state machine's state carries of trouble from one poll to the next."""

    reason: str
    since: datetime
    notified: bool = False
    """Whether a message about it has been sent."""
    notified_gone: bool = False
    """Whether a message has said that a batch the provider does not know may have been deleted."""
    kinds: dict[str, datetime] = {}
    """Since when there has been trouble of each kind that lasts."""
    missed: dict[str, int] = {}
    """Of kinds that last: how many checks in a row have not met them, while requests failed otherwise."""

    @property
    def present(self) -> dict[str, datetime]:
        """Since when there has been trouble of each kind that the last check has met, or has not asked about."""
        return {kind: since for kind, since in self.kinds.items() if kind not in self.missed}


def kinds_of_trouble(decisions: Decisions) -> dict[str, str]:
    """Return each kind of trouble that there is, with one reason: what fails, or that there is no room.

    What a person has written under `control/`, and is not understood, is no trouble: they are told at once. A request
    that failed beside it is.
    """
    kinds = dict[str, str]()
    for decision in decisions.values():
        known = (decision.trouble,) if decision.trouble and not decision.is_answer else ()
        for reason in (*known, *decision.failed):
            kinds.setdefault(str(WaitsFor.ROOM if is_about_room(reason) else trouble_with(reason)), reason)
    return kinds


def kinds_that_fail(decisions: Decisions) -> dict[str, str]:
    """Return each kind of trouble that requests of this very check have met, as the ledger names it, with one reason.

    A batch that finds no room waits. A request about a batch that is answered with HTTP 429 fails.
    """
    kinds = dict[str, str]()
    for decision in decisions.values():
        for reason in decision.failed:
            kinds.setdefault(_kind_of(decision, reason), reason)
    return kinds


def _kind_of(decision: Decision, reason: str) -> str:
    if is_about_room(reason):
        return BUSY
    kind = trouble_with(reason)
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
    troubled = first_trouble(decisions)
    if troubled is None or troubled.trouble is None:
        return before if is_paused or _skips(decisions) else None
    kinds = dict.fromkeys(_all_kinds(decisions), now)
    if before is None:
        return KnownTrouble(troubled.trouble, now, kinds=kinds)
    unmet = _unmet(decisions, before, is_paused=is_paused)
    kinds |= {kind: since for kind, since in before.kinds.items() if kind in kinds or kind in unmet}
    missed = {kind: count for kind, count in unmet.items() if count}
    notified = before.notified and (before.reason == troubled.trouble or not troubled.is_answer)
    notified = notified and (before.notified_gone or not troubled.ends)
    return KnownTrouble(troubled.trouble, before.since, notified, before.notified_gone, kinds, missed)


def is_due(trouble: KnownTrouble, troubled: Decision, patience: timedelta, now: datetime) -> bool:
    """Tell whether a message about trouble is due: after some hours, or at once as an answer to a person."""
    return not trouble.notified and (troubled.is_answer or now - trouble.since >= patience)


def begun_troubles(
    decisions: Decisions, before: KnownTrouble | None, run_state: RunState, now: datetime, writer: str
) -> Iterator[LastingTrouble]:
    """Yield the facts of trouble that this check and an earlier one have met; each kind is open once.

    Only of requests of this check: other trouble has facts. `before`: None also in an execution that knows nothing.
    """
    is_open = set(map(LastingTrouble.kind_at, run_state.open_troubles))
    for kind, reason in kinds_that_fail(decisions).items():
        if before and kind in before.kinds and kind not in is_open:
            ends = _first_end(decisions) if kind == GONE else None
            fact = LastingTrouble(writer, now, kind, before.kinds[kind], reason, ends)
            # A poll that wrote its end and crashed remembers it all the same: what it meets then is another one.
            yield replace(fact, since=now) if fact.place in run_state.troubles else fact


def ended_troubles(
    decisions: Decisions, before: KnownTrouble | None, run_state: RunState, *, is_paused: bool
) -> list[str]:
    """Return the places of trouble in the ledger that is over: that lasts for no reason that this check knows.

    `is_paused`: the provider's Retry-After lasts. What it was not asked may fail as before, until the run is over.
    """
    lasting = _all_kinds(decisions)
    if decide_step(decisions.values()) is not Next.REPORT:
        if _is_inconclusive(decisions, is_paused=is_paused):
            return []
        lasting |= _unmet(decisions, before, is_paused=is_paused).keys() if before else set()
    return sorted(place for place in run_state.open_troubles if LastingTrouble.kind_at(place) not in lasting)


def _unmet(decisions: Decisions, before: KnownTrouble, *, is_paused: bool) -> dict[str, int]:
    """Return the kinds that last though this check has not met them, and how many in a row have missed them by now.

    A check misses a kind if other requests fail in it.
    """
    met = _all_kinds(decisions)
    unmet = {kind: before.missed.get(kind, 0) for kind in before.kinds if kind not in met}
    if _is_inconclusive(decisions, is_paused=is_paused):
        return unmet
    if not kinds_that_fail(decisions):
        return {}
    return {kind: count + 1 for kind, count in unmet.items() if count + 1 < _MOST_MISSED}


def _is_inconclusive(decisions: Decisions, *, is_paused: bool) -> bool:
    """Tell whether a check that has not met a kind says nothing of it, since it did not ask all that it could.

    One that asked, and was answered with a Retry-After, has missed it like one that was answered without.
    """
    return _skips(decisions) or (is_paused and not kinds_that_fail(decisions))


def _first_end(decisions: Decisions) -> datetime | None:
    return min((each.ends for each in decisions.values() if each.failed and each.ends), default=None)


def _all_kinds(decisions: Decisions) -> set[str]:
    return {*kinds_of_trouble(decisions), *kinds_that_fail(decisions)}


def _skips(decisions: Decisions) -> bool:
    return any(decision.is_skipped for decision in decisions.values())
