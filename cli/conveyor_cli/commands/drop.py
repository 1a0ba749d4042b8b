"""`conveyor drop`: check a file here, upload it, and see its run begin."""

import os
from pathlib import Path
from time import monotonic
from typing import Any

import click
import msgspec

from conveyor.domain.drop import HOLD, NOTIFY_START, RUN_ID_FORM
from conveyor.ledger.run_facts import Refusal
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import size as shown_size
from conveyor.wording.text import counted
from conveyor_cli.aws.inbox import Written
from conveyor_cli.commands.named import warn_of_others
from conveyor_cli.commands.options import Amount, with_look, with_stack
from conveyor_cli.drops.again import Copy, copy, drop_of, lines_of
from conveyor_cli.drops.check import CheckedFile, check_with
from conveyor_cli.drops.deployed import known_of
from conveyor_cli.drops.drop import Dropped, dropped, upload
from conveyor_cli.drops.file import size_of
from conveyor_cli.drops.options import Options, command_of
from conveyor_cli.drops.show import as_json, refused_as_json, show_checked, show_refused
from conveyor_cli.exits import Exit
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, ChosenStack, find_deployed
from conveyor_cli.trouble import Trouble
from conveyor_cli.watching.follow import How, follow

_encode = msgspec.json.Encoder().encode
SEEN_BEFORE = "seen-before"
"""The code of a refusal: the same bytes ran before under this key."""


@click.command(short_help="Check a file, upload it, and start its run.")
@click.argument("file")
@click.option("--project", metavar="NAME", envvar="CONVEYOR_PROJECT", help="Whose drop it is.")
@click.option("--name", metavar="NAME", help="Of the drop, instead of the file's; it may have folders.")
@click.option("--probe/--no-probe", default=None, help="Answer a sample first, or not, whatever the size.")
@click.option("--dry-run", is_flag=True, help="Check and estimate only: nothing is uploaded.")
@click.option("--max-usd", type=Amount(), metavar="USD", help="What the run may cost without an approval, as 61.40.")
@click.option("--hold", is_flag=True, help="Wait for an approval in any case.")
@click.option("--on-invalid", type=click.Choice(["skip", "refuse"]), help="What happens if lines are invalid.")
@click.option("--max-invalid-percent", type=int, metavar="N", help="The most invalid lines with which it is sent.")
@click.option("--default-max-tokens", type=int, metavar="N", help="max_tokens of a request that has none.")
@click.option("--betas", metavar="NAMES", help="Beta features, separated by commas; none for none.")
@click.option("--retry-rounds", type=int, metavar="N", help="How often failures that may pass are sent again.")
@click.option("--notify", type=click.Choice([NOTIFY_START]), help="Send a message when the run starts, too.")
@click.option("--again", is_flag=True, help="Process, and pay for, what ran before once more: a file, or a run's drop.")
@click.option("--retry", is_flag=True, help="FILE is a run: drop those of its lines that are worth sending again.")
@click.option("--faults", "faults_file", metavar="PATH", type=click.Path(dir_okay=False), help="Write all faults here.")
@click.option("--watch", is_flag=True, help="Then follow the run to its end: see conveyor watch.")
@with_stack
@with_look
@click.pass_obj
def drop(  # noqa: PLR0913 - one for each option
    screen: Screen,
    /,
    *,
    file: str,
    retry: bool,
    dry_run: bool,
    faults_file: str | None,
    watch: bool,
    stack: str | None,
    region: str | None,
    local: bool,
    **chosen: Any,  # noqa: ANN401 - the fields of Options
) -> Exit:
    """Check a file of requests as the stack will, upload it, and see its run begin.

    A file that the stack would refuse is not uploaded. FILE: .jsonl, .ndjson or .json, also packed with gzip; with
    --retry, or with --again where there is no such file, the id or the name of a run.
    """
    if file == "-":
        message = "A drop is read more than once, so it cannot come from a pipe"
        raise Trouble("usage", message, "Write it to a file first.", exit_code=Exit.USAGE)
    options = Options(**chosen)
    follows = watch and not dry_run
    deployed = find_deployed(Choice(stack, region, is_local=local))
    if retry or (options.again and not _is_here(file)):
        what = (lines_of if retry else drop_of)(deployed, file, options)
        warn_of_others(screen, file, what.of, what.others)
        return _drop_copy(screen, deployed, what, is_dry=dry_run, follows=follows)
    if faults_file and _is_here(faults_file) and Path(file).samefile(faults_file):
        raise Trouble("usage", "--faults would overwrite the file itself", "Nothing was changed.", exit_code=Exit.USAGE)
    checked = _check(screen, deployed, Path(file), options)
    if faults_file:
        _write_faults(checked, Path(faults_file))
    if checked.reason:
        if screen.look.json:
            screen.json(**refused_as_json(checked))
        else:
            show_refused(screen, checked, file)
        return Exit.NO_RESULTS
    if dry_run:
        if screen.look.json:
            screen.json(**as_json(checked), dry_run=True)
        else:
            screen.verdict(Mark.OK, "Dry run: nothing was uploaded, nothing was charged")
        return Exit.DONE
    began = _upload(screen, deployed, checked)
    again = command_of(file, options._replace(again=True))
    ended = _started(screen, began, as_json(checked), again, follows=follows)
    return follow(screen, deployed, began.run, How(called=began.run.run)) if follows and ended is Exit.DONE else ended


def _is_here(file: str) -> bool:
    """Return whether there is something to read. A folder may be named as the run whose files were fetched into it."""
    return os.path.exists(file) and not os.path.isdir(file)  # noqa: PTH110, PTH112 - these raise for no name


def _drop_copy(screen: Screen, stack: ChosenStack, what: Copy, *, is_dry: bool, follows: bool) -> Exit:
    """Drop what is in the bucket already; it was checked when it was dropped first."""
    lines = "the drop" if what.lines is None else f"{counted(what.lines, 'line')} that are worth sending again"
    about = {"name": what.of.name, "of": what.of.run, "key": what.key, "requests": what.lines}
    if is_dry:
        if screen.look.json:
            screen.json(**about, dry_run=True)
        else:
            screen.verdict(Mark.OK, f"Dry run: {lines} of {what.of.name} would be dropped", "Nothing was copied.")
        return Exit.DONE
    written = copy(stack, what)
    if not screen.look.json:
        screen.step("Copied", f"{lines} of {what.of.name}")
        if HOLD in what.metadata:
            screen.line(f"  It waits for an approval, by its settings: metadata {HOLD}={what.metadata[HOLD]}.")
    found = _dropped(screen, stack, what.key, written)
    ended = _started(screen, found, about, f"conveyor drop --again {found.run.run}", follows=follows)
    return follow(screen, stack, found.run, How(called=found.run.run)) if follows and ended is Exit.DONE else ended


def _check(screen: Screen, stack: ChosenStack, path: Path, options: Options) -> CheckedFile:
    """Check a file; what is known to be uncertain is said before."""
    known = known_of(stack)
    for note in known.notes:
        screen.caution(note.message, note.more)
    with screen.bar("Checking", size_of(path)) as bar:
        checked = check_with(known, stack, path, options, bar.tell)
    if not screen.look.json:
        show_checked(screen, checked, bar.seconds)
    return checked


def _upload(screen: Screen, stack: ChosenStack, checked: CheckedFile) -> Dropped:
    """Upload a file, and wait for its run."""
    size, key = checked.file.size, checked.run.drop.key
    with screen.bar("Uploading", size) as bar:
        written = upload(stack, checked, bar.tell)
    if not screen.look.json:
        screen.step("Uploaded", shown_size(size), bar.seconds)
    return _dropped(screen, stack, key, written, checked)


def _dropped(
    screen: Screen, stack: ChosenStack, key: str, written: Written, checked: CheckedFile | None = None
) -> Dropped:
    """Wait for the run of what is in the inbox. Who leaves is told that it begins by itself."""
    began = monotonic()
    try:
        found = dropped(stack, key, written, checked)
    except KeyboardInterrupt:
        screen.note(
            f"  Left. The file is uploaded, and its run begins by itself; {screen.typed('conveyor runs')} shows it."
        )
        raise
    if not screen.look.json:
        screen.step("Started", found.run.run, monotonic() - began)
    return found


def _started(screen: Screen, found: Dropped, about: dict[str, Any], again: str, *, follows: bool) -> Exit:
    """Say what became of a drop, and how to follow it.

    `about`: what JSON says of it. `again`: the command that processes the same once more. `follows`:
    whether the run is followed here.
    """
    refusal = found.refusal
    if screen.look.json:
        of = {"run": found.run.run, "version": found.version}
        screen.json(**of, **about, **({"refused": _as_json(refusal)} if refusal else {}))
    elif refusal:
        screen.verdict(Mark.ERROR, f"Refused: {refusal.message}", "Nothing was sent, and nothing was charged.")
        if refusal.waiting_run:
            screen.line("  To let that run go on")
            screen.command(f"conveyor approve {refusal.waiting_run.run}")
        if refusal.code == SEEN_BEFORE:
            screen.line("  To process the same content again, and pay again")
            screen.command(again)
    elif not follows:
        screen.line("  Follow it with")
        screen.command(f"conveyor watch {found.run.run}")
    return Exit.NO_RESULTS if refusal else Exit.DONE


def _as_json(refusal: Refusal) -> dict[str, str]:
    """Return why the stack refused a drop. `run`: the one that has the same bytes."""
    named = RUN_ID_FORM.search(refusal.message) if refusal.code == SEEN_BEFORE else None
    return {"code": refusal.code, "message": refusal.message, **({"run": named[0]} if named else {})}


def _write_faults(checked: CheckedFile, path: Path) -> None:
    """Write all faults, a line of JSON each, as in invalid.jsonl."""
    try:
        with path.open("wb") as file:
            file.writelines(_encode(fault) + b"\n" for fault in checked.faults)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror})"
        raise Trouble("file-unwritable", message, "Nothing was uploaded.") from error
