"""`conveyor erase`: delete the prompts and answers of a run that has ended, in all versions."""

import click

from conveyor.ledger.run_facts import Run
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import size
from conveyor.wording.text import counted
from conveyor_cli.aws.errors import explained
from conveyor_cli.aws.versions import Versions
from conveyor_cli.commands.decisions.asking import ask, show
from conveyor_cli.commands.named import warn_of_others
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.deciding.erasing import Stored, has_ended, stored
from conveyor_cli.deciding.erasing import erase as delete
from conveyor_cli.exits import Exit
from conveyor_cli.runs.erased import erased_mark
from conveyor_cli.runs.find import find_named
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find, versions_of
from conveyor_cli.trouble import Trouble

_KEPT = (
    "Its facts stay: when it ran, how many requests it had, and what it cost. They hold the key and the metadata of "
    "its drop, and the ids of lines that were left out, but no prompt and no answer. Lines of it that were dropped "
    "again, as its retry.jsonl, are runs of their own."
)


@click.command(short_help="Erase a run that has ended: its drop, content, results and failures.")
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_stack
@with_look
@click.pass_obj
def erase(  # noqa: PLR0913 - one for each option
    screen: Screen, *, run: str, yes: bool, stack: str | None, region: str | None, local: bool
) -> None:
    """Erase a run, named by its id, or the newest run of a name: all versions of what is in it, and no fact.

    Needs the policy of administrators. If it breaks off, the same command goes on.
    """
    chosen = find(Choice(stack, region, is_local=local))
    versions = versions_of(chosen)
    with explained():
        meant, others = find_named(chosen.bucket, run, reads_all=True)
        warn_of_others(screen, run, meant, others)
        if not has_ended(chosen.bucket, meant):
            raise Trouble(
                "not-ended",
                f"{meant.name} has not ended",
                "Its results would come back without your ids. Stop it, and erase it once it has ended.",
                commands=(f"conveyor stop {meant.run}",),
                exit_code=Exit.USAGE,
            )
        found = _found(versions, meant)
        count = sum(len(each.versions) for each in found)
        if count and not screen.look.json:
            _show(screen, meant.name, found)
        if count:
            ask(screen, "erase", "delete all of this for good", is_said=yes)
            delete(versions, meant, found)
        chosen.bucket.put(erased_mark(meant.run, meant.project), b"erased\n")
    total = sum(each.bytes for each in found)
    if screen.look.json:
        screen.json(run=meant.run, done="erase", versions=count, bytes=total)
    elif count:
        screen.verdict(Mark.OK, f"Erased: {counted(count, 'version')}, {size(total)}")
    else:
        screen.verdict(Mark.OK, f"Nothing is left of {meant.name} but its facts")


def _found(versions: Versions, run: Run) -> list[Stored]:
    """Return what is in a run. Raises Trouble if only an administrator may know that."""
    try:
        with explained():
            return stored(versions, run)
    except Trouble as trouble:
        if trouble.code != "not-allowed":
            raise
        needs = "Erasing needs the policy of administrators. Nothing was changed."
        raise Trouble(trouble.code, trouble.message, needs) from trouble


def _show(screen: Screen, name: str, found: list[Stored]) -> None:
    """Show what will be deleted."""
    screen.verdict(Mark.NOT_SENT, f"{name}: what is in it, in all versions", _KEPT)
    show(screen, [_row(each) for each in found])


def _row(found: Stored) -> tuple[str, str, str]:
    figure, _, noun = counted(len(found.versions), "version").partition(" ")
    return found.kind, figure, f"{noun}, {size(found.bytes)}"
