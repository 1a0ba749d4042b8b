"""What comes next for a run, from its ledger and the provider's answers."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from conveyor.clients import Clients
from conveyor.context import RunContext
from conveyor.domain.invocation import Invocation
from conveyor.domain.schedule import Execution, Next, most_splits, seconds_until
from conveyor.poll.control import Control
from conveyor.poll.decide import decisions
from conveyor.poll.message import Risk, at_risk_notice, linked, troubled_notice, undecided_notice
from conveyor.poll.sent_batch import Decision
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
    context = clients.context(event["run"], invocation)
    each = decisions(context, Control(context.bucket, context.run.run))
    following = _following(list(each.values()))
    troubled = _troubled(list(each.values()))
    trouble = _lasting(troubled, msgspec.convert(event.get("trouble"), _Trouble | None), context.now())
    warned = msgspec.convert(event.get("warned"), datetime | None)
    risks = _new_risks(context, list(each.values()), warned)
    words = None
    wait = context.usual_wait()
    may_tell = following in (Next.WAIT, Next.SUBMIT)
    if may_tell and troubled and trouble and _is_due(context, trouble, troubled):
        trouble.told, trouble.told_gone = True, trouble.told_gone or troubled.ends is not None
        words = _words(context, trouble, troubled, clients.environment.api_key_secret)
    elif may_tell and risks:
        warned = context.now()
        words = at_risk_notice(context.run, risks, context.api.dialect.window)
    if words:
        words = linked(words, clients.console(event))
        wait = 1 if following is Next.SUBMIT else wait  # what can be sent is sent right afterwards
        following = Next.NOTIFY
    most = context.run.settings.max_events
    splits = [number for number, decision in each.items() if decision.next is Next.SPLIT][: most_splits(most)]
    before = msgspec.convert(event.get("execution", {}), Execution)
    following, execution = before.advance(following, len(splits), most)
    moments = [decision.until for decision in each.values() if decision.until]
    return {
        "run": context.run.run,
        "next": following,
        "wait_seconds": seconds_until(moments, context.now(), wait),
        "batches": splits,
        "execution": msgspec.to_builtins(execution),
        "trouble": msgspec.to_builtins(trouble),
        "warned": msgspec.to_builtins(warned),
        "notice": words and words._asdict(),
    }


def _troubled(decisions: list[Decision]) -> Decision | None:
    """Return what a person would hear of first: what came of their own words, however other batches fare."""
    troubled = [decision for decision in decisions if decision.trouble]
    return min(troubled, key=lambda decision: not decision.is_answer, default=None)


def _lasting(troubled: Decision | None, before: _Trouble | None, now: datetime) -> _Trouble | None:
    if troubled is None or troubled.trouble is None:
        return None
    if before is None:
        return _Trouble(troubled.trouble, now)
    told = before.told and (before.reason == troubled.trouble or not troubled.is_answer)
    told = told and (before.told_gone or not troubled.ends)
    return _Trouble(troubled.trouble, before.since, told, before.told_gone)


def _is_due(context: RunContext, trouble: _Trouble, troubled: Decision) -> bool:
    """Tell whether a person must hear of it now: after some hours, or at once who has told us something unclear."""
    patience = timedelta(seconds=context.run.settings.trouble_seconds)
    return not trouble.told and (troubled.is_answer or context.now() - trouble.since >= patience)


def _new_risks(context: RunContext, decisions: list[Decision], warned: datetime | None) -> list[Risk]:
    """Return the batches that may expire, once three quarters of the window of one of them have passed.

    The same message names those that reach it within the next quarter of the window: so each is named once, and
    messages are a quarter of the window apart. `warned`: when the last one was.
    """
    quarter = context.api.dialect.window / 4
    found = [decision.risk for decision in decisions if decision.risk and decision.risk.expires > context.now()]
    risks = [risk for risk in found if warned is None or risk.since > warned + quarter]
    if not any(risk.since <= context.now() for risk in risks):
        return []
    return [risk for risk in risks if risk.since <= context.now() + quarter]


def _words(context: RunContext, trouble: _Trouble, troubled: Decision, secret: str) -> Notice:
    if troubled.undecided:
        return undecided_notice(context.run, trouble.reason, trouble.since, troubled.undecided, secret)
    return troubled_notice(context.run, trouble.reason, trouble.since, secret, troubled.ends)


def _following(decisions: list[Decision]) -> Next:
    """Return what the run does next: what one batch needs now comes before what all may wait for."""
    kinds = {decision.next for decision in decisions}
    return next((kind for kind in (Next.SPLIT, Next.SUBMIT, Next.WAIT) if kind in kinds), Next.REPORT)
