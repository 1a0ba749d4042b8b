"""Checks of the runs: executions that failed, and trouble that lasts. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from conveyor.domain.observed import NOTHING
from conveyor.wording.text import counted
from conveyor_cli.doctor.finding import Finding, aws, failed, ok

type Json = dict[str, Any]

_SHOWN = 3
_LOOKED = "poll is done"


class Trouble(NamedTuple):
    """What keeps failing for a run, as its last look has logged it."""

    run: str
    words: str
    since: str


def executions(region: str, found: Sequence[Json], days: int) -> Finding:
    """Judge the executions that failed, timed out or were aborted. `found`: as ListExecutions says, the newest first.

    `days`: in which they can be redriven. One that was redriven is running, and not among them.
    """
    if not found:
        return ok(f"0 failed executions in {days} days")
    names = ", ".join(f"{each['name']} {each['status'].lower().replace('_', ' ')}" for each in found[:_SHOWN])
    more = len(found) - _SHOWN
    commands = list[str]()
    for each in found[:_SHOWN]:
        about = {"execution_arn": each["executionArn"]}
        history = aws(region, "stepfunctions get-execution-history", **about, max_items=5)
        commands += [f"{history} --reverse-order", aws(region, "stepfunctions redrive-execution", **about)]
    return failed(
        f"{counted(len(found), 'run')} stopped: {names}{f', and {more} more' if more > 0 else ''}",
        "Nothing is lost or charged twice. See the error, put its cause in order, then redrive the run:",
        commands=commands,
    )


def trouble_of(lines: Iterable[str]) -> dict[str, Trouble | None]:
    """Return what the last line of the log of `poll` about each run says, by run. `lines`: oldest first."""
    found = dict[str, Trouble | None]()
    for line in lines:
        fields = _fields(line)
        run = fields.get("run")
        if not run or fields.get("message") != _LOOKED:
            continue
        is_well = fields.get("trouble_with", NOTHING) == NOTHING
        found[run] = None if is_well else Trouble(run, fields.get("trouble", ""), fields.get("trouble_since", ""))
    return found


def troubles(looks: Mapping[str, Trouble | None]) -> Finding:
    """Judge the runs that were looked at lately."""
    troubled = [each for each in looks.values() if each]
    if not troubled:
        return ok(f"{counted(len(looks), 'run')} looked at lately, none in trouble")
    said = "; ".join(f"{each.run}: {each.words}, since {each.since}" for each in troubled[:_SHOWN])
    more = len(troubled) - _SHOWN
    return failed(
        f"{said}{f'; and {more} more' if more > 0 else ''}",
        "They go on by themselves once the call succeeds. Nothing is lost or charged twice.",
        commands=[f"conveyor watch {each.run}" for each in troubled[:_SHOWN]],
    )


def _fields(line: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
