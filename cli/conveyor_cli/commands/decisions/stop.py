"""`conveyor stop`: end a run, and keep what it has."""

import click

from conveyor.domain import keys
from conveyor.wording.marks import Mark
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.decisions.wish import Wish, say
from conveyor_cli.commands.named import warn_of_others
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.runs.desk import going
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find

_STOP = Wish("stop", "end the run", keys.STOP, "canceled; what is finished is charged", "stay unsent")


@click.command(short_help="Stop a run: nothing more is sent, and what was sent is canceled.")
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_stack
@with_look
@click.pass_obj
def stop(  # noqa: PLR0913 - one for each option
    screen: Screen, *, run: str, yes: bool, stack: str | None, region: str | None, local: bool
) -> None:
    """Stop a run, named by its id, or the newest run of a name."""
    bucket = find(Choice(stack, region, is_local=local)).bucket
    with explained():
        found = going(bucket, run)
        warn_of_others(screen, run, found.run, found.others)
        say(screen, bucket, found, _STOP, is_said=yes)
    if screen.look.json:
        screen.json(run=found.run.run, done="stop")
    else:
        screen.verdict(Mark.OK, "Stop requested", "It takes effect at the next look, within a few minutes.")
