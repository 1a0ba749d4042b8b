"""When messages about the ceilings of days are due.

One run of a project says once for each day that 80 %, or all, of its ceiling is taken: the run that claims the message.
A run that waits for room says so once. Like those of gates, a message that is lost with the state is sent again.
"""

from conveyor.context import RunContext
from conveyor.domain.plan import Plan
from conveyor.gates.gate import needs_to_pay
from conveyor.ledger.budget_facts import DayFull, DayReached
from conveyor.ledger.state import RunState
from conveyor.spend.notice import full_notice, reached_notice
from conveyor.spend.spent import spent
from conveyor.wording.notice import Notice, Sent

_FULL = "full"
"""The word of the message that the run waits. Other words are places of `DayReached`."""


def has_budget_facts(run_state: RunState) -> bool:
    """Return whether there may be anything to say about a ceiling."""
    return bool(run_state.days_reached or run_state.full_days)


def budget_notice(
    context: RunContext, run_state: RunState, said: str, waiting: Plan | None, sent: Sent
) -> tuple[Notice | None, str]:
    """Return the message that is due, if one is, and what has been said once it is sent.

    `said`: what has been said so far, in words with spaces between. A run whose message is another's notes it, too.
    `waiting`: the plan of a run that stands at no gate: only such a run can wait for room.
    """
    words = said.split()
    places = run_state.days_reached - set(words)
    facts = [(context.ledger.read(DayReached, place), place) for place in places]
    for fact, place in sorted(facts, key=lambda each: (each[0].until, each[0].percent)):
        words.append(place)
        if context.claims.claim_message(fact.log, fact.day, fact.percent):
            month = spent(context.bucket, context.run.project, context.now()).month
            return reached_notice(context.run, fact, month, sent), " ".join(words)
    full = awaited_day(context, run_state, waiting) if waiting and _FULL not in words else None
    if full is None:
        return None, " ".join(words)
    return full_notice(context.run, full, sent), " ".join([*words, _FULL])


def awaited_day(context: RunContext, run_state: RunState, plan: Plan) -> DayFull | None:
    """Return why a run waits for room in the day, if it does. Once the day has ended, it looks at the new one first."""
    if not run_state.full_days or not needs_to_pay(plan, run_state):
        return None
    full = context.ledger.read(DayFull, max(run_state.full_days))
    return full if full.until > context.now() else None
