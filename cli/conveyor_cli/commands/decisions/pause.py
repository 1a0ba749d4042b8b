"""`conveyor pause`: send nothing new until a person approves."""

from shlex import quote

import click

from conveyor.domain import keys
from conveyor.wording.marks import Mark
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.decisions.wish import Wish, say
from conveyor_cli.commands.named import warn_of_others
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.exits import Exit
from conveyor_cli.runs.desk import going
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find
from conveyor_cli.trouble import Trouble

_PAUSE = Wish("pause", "send nothing new", keys.PAUSE, "go on, and are charged", "wait for your approval")


@click.command(short_help="Pause a run: nothing new is sent until you approve.")
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_stack
@with_look
@click.pass_obj
def pause(  # noqa: PLR0913 - one for each option
    screen: Screen, *, run: str, yes: bool, stack: str | None, region: str | None, local: bool
) -> None:
    """Pause a run, named by its id, or the newest run of a name."""
    bucket = find(Choice(stack, region, is_local=local)).bucket
    with explained():
        found = going(bucket, run)
        warn_of_others(screen, run, found.run, found.others)
        if found.held_at:
            message = f"{found.run.name} is {found.state.words} already"
            raise Trouble("held", message, "Nothing was changed.", exit_code=Exit.USAGE)
        say(screen, bucket, found, _PAUSE, is_said=yes)
    if screen.look.json:
        screen.json(run=found.run.run, done="pause")
    else:
        screen.verdict(Mark.OK, "Pause requested", "It takes effect before the next batch. To let the run go on:")
        screen.command(f"conveyor approve {quote(run)}")
