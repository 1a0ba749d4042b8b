"""What comes next for a run, from its ledger and the provider's answers."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from conveyor.clients import Clients
from conveyor.context import Turn
from conveyor.domain.invocation import Invocation
from conveyor.domain.schedule import Execution, Next, most_splits, seconds_until
from conveyor.poll.control import Control
from conveyor.poll.decide import verdicts
from conveyor.poll.message import Risk, at_risk_notice, linked, troubled_notice, undecided_notice
from conveyor.poll.sent_batch import Verdict
from conveyor.wording.notice import Notice


class _Trouble(msgspec.Struct):
    """Trouble that lasts. It travels in the state machine's state, since it is no fact of the run."""

    reason: str
    since: datetime
    told: bool = False
    """Whether a message about it has been sent."""
    told_gone: bool = False
    """Whether a message has said that what the provider does not know may have been deleted."""


def poll(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Ask the provider once and return the state machine's next state: ids and counters, and words for a person."""
    turn = clients.turn(event["run"], invocation)
    each = verdicts(turn, Control(turn.storage, turn.run.run))
    following = _following(list(each.values()))
    troubled = _troubled(list(each.values()))
    trouble = _lasting(troubled, msgspec.convert(event.get("trouble"), _Trouble | None), turn.now())
    warned = msgspec.convert(event.get("warned"), datetime | None)
    risks = _new_risks(turn, list(each.values()), warned)
    words = None
    wait = turn.usual_wait()
    may_tell = following in (Next.WAIT, Next.SUBMIT)
    if may_tell and troubled and trouble and _is_due(turn, trouble, troubled):
        trouble.told, trouble.told_gone = True, trouble.told_gone or troubled.ends is not None
        words = _words(turn, trouble, troubled, clients.environment.api_key_secret)
    elif may_tell and risks:
        warned = turn.now()
        words = at_risk_notice(turn.run, risks, turn.api.dialect.window)
    if words:
        words = linked(words, clients.console(event))
        wait = 1 if following is Next.SUBMIT else wait  # what can be sent is sent right afterwards
        following = Next.TELL
    most = turn.run.settings.max_events
    splits = [number for number, verdict in each.items() if verdict.next is Next.SPLIT][: most_splits(most)]
    before = msgspec.convert(event.get("execution", {}), Execution)
    following, execution = before.turn(following, len(splits), most)
    moments = [verdict.until for verdict in each.values() if verdict.until]
    return {
        "run": turn.run.run,
        "next": following,
        "wait_seconds": seconds_until(moments, turn.now(), wait),
        "batches": splits,
        "execution": msgspec.to_builtins(execution),
        "trouble": msgspec.to_builtins(trouble),
        "warned": msgspec.to_builtins(warned),
        "notice": words and words._asdict(),
    }


def _troubled(verdicts: list[Verdict]) -> Verdict | None:
    """Return what a person would hear of first: what came of their own words, however other batches fare."""
    troubled = [verdict for verdict in verdicts if verdict.trouble]
    return min(troubled, key=lambda verdict: not verdict.is_answer, default=None)


def _lasting(troubled: Verdict | None, before: _Trouble | None, now: datetime) -> _Trouble | None:
    if troubled is None or troubled.trouble is None:
        return None
    if before is None:
        return _Trouble(troubled.trouble, now)
    told = before.told and (before.reason == troubled.trouble or not troubled.is_answer)
    told = told and (before.told_gone or not troubled.ends)
    return _Trouble(troubled.trouble, before.since, told, before.told_gone)


def _is_due(turn: Turn, trouble: _Trouble, troubled: Verdict) -> bool:
    """Tell whether a person must hear of it now: after some hours, or at once who has told us something unclear."""
    patience = timedelta(seconds=turn.run.settings.trouble_seconds)
    return not trouble.told and (troubled.is_answer or turn.now() - trouble.since >= patience)


def _new_risks(turn: Turn, verdicts: list[Verdict], warned: datetime | None) -> list[Risk]:
    """Return the batches that may expire, once three quarters of the window of one of them have passed.

    The same message names those that reach it within the next quarter of the window: so each is named once, and
    messages are a quarter of the window apart. `warned`: when the last one was.
    """
    quarter = turn.api.dialect.window / 4
    found = [verdict.risk for verdict in verdicts if verdict.risk and verdict.risk.expires > turn.now()]
    risks = [risk for risk in found if warned is None or risk.since > warned + quarter]
    if not any(risk.since <= turn.now() for risk in risks):
        return []
    return [risk for risk in risks if risk.since <= turn.now() + quarter]


def _words(turn: Turn, trouble: _Trouble, troubled: Verdict, secret: str) -> Notice:
    if troubled.undecided:
        return undecided_notice(turn.run, trouble.reason, trouble.since, troubled.undecided, secret)
    return troubled_notice(turn.run, trouble.reason, trouble.since, secret, troubled.ends)


def _following(verdicts: list[Verdict]) -> Next:
    """Return what the run does next: what one batch needs now comes before what all may wait for."""
    kinds = {verdict.next for verdict in verdicts}
    return next((kind for kind in (Next.SPLIT, Next.SUBMIT, Next.WAIT) if kind in kinds), Next.REPORT)
