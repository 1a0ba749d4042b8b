"""The messages about the ceiling of a day: a run waits for room, or 80 % or all of it is taken."""

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from conveyor.domain.keys import BUDGETS, DEFAULT_PROJECT
from conveyor.domain.status import Status
from conveyor.ledger.budget_facts import DayFull, DayReached
from conveyor.ledger.run_facts import Run
from conveyor.spend.spent import Costs
from conveyor.wording import commands
from conveyor.wording.mail import Link, Mail, Step, block, how_to
from conveyor.wording.message import Event, Needs
from conveyor.wording.notice import About, Kind, Notice, Sent, notice
from conveyor.wording.text import counted, exact_dollars, paragraph, table

_MINUTE = "%Y-%m-%d %H:%M"
_NONE = Decimal(0)
_ALL = 100
"""Percent."""
_TAKEN = (
    "What is taken counts batches that are under way with the most that they may cost. So what is really spent is "
    "usually lower."
)
_TO_RAISE = f"To spend more today, an administrator can raise usd_per_day in {BUDGETS}"
_GOES_ON = "The run goes on by itself when there is room, today or on a later day. You need not do anything."


def full_notice(run: Run, full: DayFull, sent: Sent) -> Notice:
    """Say that a run waits for room in the day of its project, what it needs, and when it goes on."""
    left = exact_dollars(max(full.ceiling_usd - full.taken_usd, _NONE), ROUND_FLOOR)
    need = exact_dollars(full.need_usd)
    mail = Mail(
        f"The run of {run.name} waits for its budget: {_why_full(full, need, left)}",
        f"What was sent goes on. {_GOES_ON}",
        [
            Step(_TO_RAISE),
            Step("To stop the run instead, and keep any results so far", commands.conveyor("stop", run.run)),
        ],
        paragraph(_TAKEN, "The run looks for room at least every five minutes."),
        table(
            [
                ("Needs", f"{need} for its next batch"),
                ("Taken", f"{exact_dollars(full.taken_usd)} of {exact_dollars(full.ceiling_usd)}, at {_utc(full.at)}"),
                ("Day ends", _utc(full.until)),
            ]
        ),
        _link(sent),
        block(
            _raise(run),
            how_to(
                "To stop the run instead, and keep any results so far, type:",
                commands.stop(run.drop.bucket, run.run, run.project),
            ),
        ),
    )
    kind = Kind(Event.BUDGET, Status.WAITING_FOR_BUDGET, Needs.NOBODY, f"{Event.BUDGET}-full")
    return _notice(sent.about(run.run, run.name, run.project), kind, f"needs {need}, {left} left today", mail)


def reached_notice(run: Run, reached: DayReached, month: Costs, sent: Sent) -> Notice:
    """Say that 80 %, or all, of what a project may spend in a day is taken, and what follows.

    The message is about the project: `run` is the run that sends it. `month`: what the run's project has spent in it.
    """
    mail = Mail(
        _what_is_reached(reached),
        _what_follows(is_all=reached.percent >= _ALL),
        [Step(_TO_RAISE)],
        paragraph(_TAKEN),
        table([("Project", _name(reached.log)), ("Day ends", _utc(reached.until)), *_month(run, month)]),
        _link(sent),
        _raise(run),
    )
    ceiling, taken = exact_dollars(reached.ceiling_usd), exact_dollars(reached.taken_usd)
    is_left = reached.percent >= _ALL and reached.taken_usd < reached.ceiling_usd
    figures = f"no room at {taken} of {ceiling} today" if is_left else f"{reached.percent} % of {ceiling} today"
    end = f"{Event.BUDGET}-{reached.day}-{reached.percent}"
    return _notice(
        sent.about(run.run, run.name, reached.log),
        Kind(Event.BUDGET, Status.BUDGET_REACHED, Needs.NOBODY, end),
        figures,
        mail,
        named=reached.log,
    )


def _notice(about: About, kind: Kind, figures: str, mail: Mail, named: str = "") -> Notice:
    """Return a message. `named`: in its subject, if not the run."""
    words = commands.command_words(step.command for step in mail.steps)
    return notice(about, kind, figures, mail, {"commands": words}, named)


def _link(sent: Sent) -> Link:
    return Link("Run so far", sent.console.run())


def _month(run: Run, month: Costs) -> list[tuple[str, str]]:
    """Return what the project of the run has spent in this month, once it has spent anything."""
    if not month.usd:
        return []
    least = "at least " if month.is_lower_bound else ""
    runs = counted(month.runs, "run")
    return [("This month", f"{least}{exact_dollars(month.usd)} for {run.project}, in {runs} that ended")]


def _why_full(full: DayFull, need: str, left: str) -> str:
    """Return why the next batch does not fit today. One that may cost a whole day's ceiling needs a day for itself."""
    ceiling = exact_dollars(full.ceiling_usd)
    if full.need_usd < full.ceiling_usd:
        may = f"{_whose(full.log)} may spend today (usd_per_day)"
        return f"its next batch may cost up to {need}, and {left} is left of the {ceiling} that {may}."
    return (
        "its next batch needs a day on which nothing else of the budget is taken, since it may cost as much as "
        f"{_whose(full.log)} may spend in a day ({ceiling}, usd_per_day), or more. It gets the next such day for "
        "itself, before other batches; of several such batches, each gets a day."
    )


def _what_is_reached(reached: DayReached) -> str:
    """Return how much is taken of a ceiling. It is reached before all of it is taken if the next batch does not fit."""
    whose = _whose(reached.log)
    amounts = f"{exact_dollars(reached.taken_usd)} of {exact_dollars(reached.ceiling_usd)}"
    if reached.percent < _ALL:
        return f"At least {reached.percent} % of what {whose} may spend today (usd_per_day) is taken: {amounts}."
    if reached.taken_usd < reached.ceiling_usd:
        rest = f"the rest of what {whose} may spend today (usd_per_day)"
        return f"The next batch of a run does not fit into {rest}: {amounts} is taken."
    return f"All of what {whose} may spend today (usd_per_day) is taken: {amounts}."


def _what_follows(*, is_all: bool) -> str:
    first = (
        "Runs whose next batch does not fit wait"
        if is_all
        else "A run whose next batch does not fit into the rest waits, and another message says so"
    )
    return (
        f"{first}. Such runs go on by themselves when there is room: when batches have cost less than was reserved for "
        "them, or on a new day. What was sent goes on. You need not do anything."
    )


def _raise(run: Run) -> list[str]:
    """Return the commands that raise the limit."""
    return how_to(
        f"These commands get {BUDGETS}, and write it once it is edited:",
        commands.fetch_limits(run.drop.bucket),
        commands.put_limits(run.drop.bucket),
    )


def _whose(log: str) -> str:
    """Return the projects that share a ceiling."""
    if log == DEFAULT_PROJECT:
        return f"all projects that {BUDGETS} does not name, together,"
    return f'the project "{log}"'


def _name(log: str) -> str:
    return f"all that {BUDGETS} does not name" if log == DEFAULT_PROJECT else log


def _utc(moment: datetime) -> str:
    return f"{moment:{_MINUTE}} UTC"
