"""`conveyor watch`: follow a run to its end."""

from math import isfinite
from pathlib import Path

import click

from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.named import to_read
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.exits import Exit
from conveyor_cli.runs.find import called_by
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find
from conveyor_cli.trouble import Trouble
from conveyor_cli.watching.every import follow_all
from conveyor_cli.watching.follow import How, follow


@click.command(short_help="Follow a run to its end, and say how it ended.")
@click.argument("run", required=False)
@click.option("--all", "all_", is_flag=True, help="Follow all runs, one line each.")
@click.option("--until", type=click.Choice(["held"]), help="End also where the run waits for a person (exit code 4).")
@click.option("--keep-waiting", is_flag=True, help="Without a terminal: do not end where the run waits for a person.")
@click.option("--every", type=click.FloatRange(min=0.05), default=5.0, show_default=True, help="Seconds between looks.")
@click.option(
    "--summary", type=click.Path(dir_okay=False, path_type=Path), help="Add the verdict to this file, as Markdown."
)
@with_stack
@with_look
@click.pass_obj
def watch(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    run: str | None,
    all_: bool,
    until: str | None,
    keep_waiting: bool,
    every: float,
    summary: Path | None,
    stack: str | None,
    region: str | None,
    local: bool,
) -> Exit:
    """Follow a run, named by its id, or the newest run of a name; without a name the newest run of all.

    The exit code says how it ended. Ctrl-C leaves the run going.
    """
    chosen = find(Choice(stack, region, is_local=local))
    if until and keep_waiting:
        raise Trouble("usage", "--until and --keep-waiting exclude each other", exit_code=Exit.USAGE)
    if not isfinite(every):
        raise Trouble("usage", "--every takes a number of seconds", exit_code=Exit.USAGE)
    how = How(every, bool(until), keep_waiting, summary)
    if all_:
        if run or summary:
            raise Trouble("usage", "--all takes neither a run nor --summary", exit_code=Exit.USAGE)
        return follow_all(screen, chosen, how)
    with explained():
        found = to_read(screen, chosen.bucket, run)
    return follow(screen, chosen, found, how._replace(called=called_by(found, run)))
