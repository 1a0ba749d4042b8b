"""Checks of the runs: executions that failed, and trouble that lasts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from conveyor.ledger.run_facts import GONE, LastingTrouble
from conveyor.wording.text import counted
from conveyor_cli.doctor.finding import Finding, aws, failed, ok
from conveyor_cli.runs.facts import words_of

type Json = dict[str, Any]

SHOWN = 3
_GIVEN_UP = "A batch that the provider does not know is given up in the end: its results are lost."
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def executions(region: str, found: Sequence[Json], days: int) -> Finding:
    """Judge the executions that failed, timed out or were aborted. `found`: as ListExecutions says, the newest first.

    `days`: in which they can be redriven. One that was redriven is running, and not among them.
    """
    if not found:
        return ok(f"0 failed executions in {days} days")
    names = ", ".join(f"{each['name']} {each['status'].lower().replace('_', ' ')}" for each in found[:SHOWN])
    more = len(found) - SHOWN
    commands = list[str]()
    for each in found[:SHOWN]:
        about = {"execution_arn": each["executionArn"]}
        history = aws(region, "stepfunctions get-execution-history", **about, max_items=5)
        commands += [f"{history} --reverse-order", aws(region, "stepfunctions redrive-execution", **about)]
    return failed(
        f"{counted(len(found), 'run')} stopped: {names}{f', and {more} more' if more > 0 else ''}",
        "Nothing is lost or charged twice. See the error, put its cause in order, then redrive the run:",
        commands=commands,
    )


def troubles(named: Mapping[str, LastingTrouble], troubled: int, looked: int, left: int) -> Finding:
    """Judge the runs under way. `named`: some of those in trouble, by run. `left`: how many were not looked at."""
    others = f"; {left:,} older ones not looked at" if left else ""
    if not named:
        answered = f", requests about {'its' if looked == 1 else 'their'} batches are answered" if looked else ""
        return ok(f"{counted(looked, 'run')} under way{answered}{others}")
    said = "; ".join(f"{run}: {words_of(fact)}, since {fact.since:{_MOMENT}}" for run, fact in named.items())
    more = troubled - len(named)
    return failed(
        f"{said}{f'; and {more} more' if more > 0 else ''}{others}",
        "They go on by themselves once the call succeeds. Nothing is charged twice.",
        *([_GIVEN_UP] if any(fact.kind == GONE for fact in named.values()) else []),
        commands=[f"conveyor watch {run}" for run in named],
    )
