"""How findings look: a line each, then what it means and what to type."""

from collections.abc import Sequence
from typing import Any

from conveyor.wording.marks import Mark
from conveyor.wording.text import counted
from conveyor_cli.doctor.finding import Finding, State
from conveyor_cli.exits import Exit
from conveyor_cli.screen.screen import Screen

type Named = tuple[str, Finding]

_NAME = 16
"""Columns of a name."""


def show(screen: Screen, name: str, finding: Finding) -> None:
    """Write a finding as soon as it is known; nothing where JSON is asked for, which has all of them in one object."""
    if screen.look.json:
        return
    screen.marked(finding.state.mark, f"{name:<{_NAME}} {finding.message}")
    for sentence in finding.more:
        screen.wrapped(sentence, indent=4)
    for command in finding.commands:
        screen.command(command)


def end(screen: Screen, stack: str, findings: Sequence[Named]) -> Exit:
    """Write what all findings mean together, and return the exit code: 0 only if all is well."""
    failed, unseen = (
        [name for name, finding in findings if finding.state is state] for state in (State.FAILED, State.UNSEEN)
    )
    if screen.look.json:
        checks = [_as_json(screen, name, finding) for name, finding in findings]
        screen.json(stack=stack, failed=len(failed), unseen=len(unseen), checks=checks)
    else:
        screen.line()
        screen.verdict(*_verdict(stack, len(findings), failed, unseen))
    return Exit.SURROUNDINGS if failed or unseen else Exit.DONE


def _verdict(stack: str, number: int, failed: list[str], unseen: list[str]) -> tuple[Mark, str]:
    lacking = f"{counted(len(unseen), 'check')} could not be made with your permissions"
    if failed:
        more = f"; {lacking}" if unseen else ""
        return Mark.ERROR, f"{stack}: {len(failed)} of {number} checks failed: {', '.join(failed)}{more}"
    if unseen:
        return Mark.LOOK, f"{stack}: nothing is wrong that was looked at; {lacking}"
    return Mark.OK, f"{stack}: all is well"


def _as_json(screen: Screen, name: str, finding: Finding) -> dict[str, Any]:
    text = " ".join((finding.message, *finding.more))
    commands = [screen.typed(command) for command in finding.commands]
    return {
        "name": name,
        "state": finding.state,
        "message": text,
        "type": next(iter(commands), None),
        "commands": commands,
    }
