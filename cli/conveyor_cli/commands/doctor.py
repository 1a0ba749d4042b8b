"""`conveyor doctor`: whether a deployed stack is healthy, and works on this account."""

import tempfile
from math import isfinite
from pathlib import Path

import click

from conveyor.wording.text import counted
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.decisions.asking import ask
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.doctor import show
from conveyor_cli.doctor.checkup import DELIVERY, Check, Look, Wish, checks, finding_of, found_by
from conveyor_cli.doctor.finding import unasked
from conveyor_cli.doctor.reading import drop as dropping
from conveyor_cli.doctor.reading.desk import Desk
from conveyor_cli.exits import Exit
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find_deployed
from conveyor_cli.trouble import Trouble

_MODEL = "claude-haiku-4-5"
_END = "end-to-end drop"
_NO_DROP = f"not tried; add --drop ({dropping.LINES} lines, less than $0.01)"
_WAIT = 2.0
"""Minutes for which a test upload is waited for. A longer wait is announced."""
_LONGEST = 3600.0
"""Seconds for which the drop is waited for."""


@click.command(short_help="Check a deployed stack: what is wrong, and what to type.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=_WAIT, show_default=True,
    help="Minutes to wait for a test upload. After a first deployment, 10.",
)  # fmt: skip
@click.option("--drop", is_flag=True, help="Also drop three lines, for less than $0.01, and verify what comes back.")
@click.option("--model", metavar="NAME", default=_MODEL, show_default=True, help="The model of these lines.")
@click.option("--project", metavar="NAME", envvar="CONVEYOR_PROJECT", help="Whose drop it is.")
@click.option("--alarm", is_flag=True, help="Also drive an alarm to ALARM and back: it sends a message to people.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_stack
@with_look
@click.pass_obj
def doctor(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    wait: float,
    drop: bool,
    model: str,
    project: str | None,
    alarm: bool,
    yes: bool,
    stack: str | None,
    region: str | None,
    local: bool,
) -> Exit:
    """Check a deployed stack with your own credentials: a line for each check, and what to type.

    Costs nothing and changes nothing, but for the marker of a folder that is uploaded, and removed. The exit code is 0
    only if all is well. Attach DoctorPolicyArn to who types it.
    """
    if not isfinite(wait):
        raise Trouble("usage", "--wait takes a number of minutes", exit_code=Exit.USAGE)
    desk = Desk(find_deployed(Choice(stack, region, is_local=local)))
    if alarm:
        _announce_alarm(screen, desk, is_said=yes)
    with tempfile.TemporaryDirectory(prefix="conveyor-doctor-") as folder:
        last: Look = lambda _: unasked(_NO_DROP)  # noqa: E731 - the other one is made of what was asked
        if drop:
            last = _announced_drop(screen, desk, Path(folder), dropping.Lines(model, project), is_said=yes)
        findings = list[show.Named]()
        for check in (*checks(Wish(wait * 60, drill=alarm)), Check(_END, last)):
            if check.name == DELIVERY and wait > _WAIT:
                screen.note(f"  waiting up to {wait:g} minutes for a test upload; a new bucket needs about five")
            findings.append((check.name, found_by(check, desk)))
            show.show(screen, *findings[-1])
    return show.end(screen, desk.profile.stack, findings)


def _announce_alarm(screen: Screen, desk: Desk, *, is_said: bool) -> None:
    """Say who gets a message, and ask."""
    if not screen.look.json:
        who = "everybody who is subscribed to the topic of the stack"
        screen.line(f"QueueFullAlarm of {desk.profile.stack} goes to ALARM and back: {who} gets a message.")
    ask(screen, "alarm", "send it", is_said=is_said)


def _announced_drop(screen: Screen, desk: Desk, folder: Path, lines: dropping.Lines, *, is_said: bool) -> Look:
    """Show what a drop costs, ask, and return what uploads and follows it.

    A drop that the stack would refuse is not asked for.
    """
    try:
        with explained():
            small = dropping.prepare(desk.chosen, folder, lines)
    except Trouble as trouble:
        found = finding_of(trouble)
        return lambda _: found
    if not screen.look.json:
        screen.line(f"A drop of {counted(dropping.LINES, 'line')} for {lines.model} costs {small.price}.")
    ask(screen, "drop", "send it", is_said=is_said)
    return lambda _: dropping.drop(desk.chosen, small, _LONGEST, lambda run: screen.note(f"  {run} is on its way"))
