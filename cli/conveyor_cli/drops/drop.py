"""Drop a file: check it as the stack will, upload it, and wait for its run. Nothing is written to a screen."""

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from conveyor.domain.drop import RUN_ID_FORM
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.s3.bucket import Bucket
from conveyor_cli.aws.account import Account
from conveyor_cli.aws.errors import AWS_ERRORS, PASSES, explain, explained
from conveyor_cli.aws.inbox import Inbox, Written
from conveyor_cli.drops.check import CheckedFile, check, refuse_if_wrong
from conveyor_cli.drops.file import LocalFile, Sent, Tell, silent
from conveyor_cli.drops.options import AS_THE_STACK_HAS_IT, Options
from conveyor_cli.drops.started import await_run
from conveyor_cli.exits import Exit
from conveyor_cli.runs.find import read_run
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

_REPEATED_WITHIN = timedelta(minutes=3)
"""More than a client takes for all attempts of a request."""


class Dropped(NamedTuple):
    """A file that was dropped."""

    run: Run
    key: str
    version: str
    checked: CheckedFile | None = None
    """What was found before it was uploaded; None for what was in the bucket already."""
    refusal: Refusal | None = None
    """Why the stack refuses the run, if it did so at once: the same bytes ran before, for example."""


def drop_file(stack: ChosenStack, path: Path, options: Options = AS_THE_STACK_HAS_IT, tell: Tell = silent) -> Dropped:
    """Check a file, upload it, and return the run that it became. `stack`: as it is deployed now.

    Raises Refused, with all faults, if the stack would refuse the file: then nothing was uploaded. Raises Trouble for
    all else. `tell`: hears of bytes that were read or sent.
    """
    checked = check(stack, path, options, tell)
    refuse_if_wrong(checked)
    written = upload(stack, checked, tell)
    return dropped(stack, checked.run.drop.key, written, checked)


def upload(stack: ChosenStack, checked: CheckedFile, tell: Tell = silent) -> Written:
    """Upload a file that was checked. Raises Trouble; then no object appears, and nothing runs.

    So it is if the file has changed since it was checked. Only where the answer to the last request was lost may there
    be an object, and the Trouble says so.
    """
    drop, file = checked.run.drop, checked.file
    file.refuse_changed()
    inbox = inbox_of(stack)
    try:
        with Sent(file) as stream:
            return inbox.upload(stream, drop.key, drop.metadata, tell)
    except AWS_ERRORS as error:
        why = explain(error)
        lost = inbox.is_ending and why.code in PASSES
        raise (may_have_arrived(why, file.path.name) if lost else _not_uploaded(why, file, checked.options)) from error


def may_have_arrived(why: Trouble, name: str) -> Trouble:
    """Return that nobody knows whether an object is in the inbox, since the answer was lost."""
    return Trouble(
        why.code,
        f"Whether {name} has arrived is not known: {why.message}",
        "If it has, its run begins by itself within a minute. Look before you drop it again:",
        commands=("conveyor runs",),
    )


def dropped(stack: ChosenStack, key: str, written: Written, checked: CheckedFile | None = None) -> Dropped:
    """Wait for the run of a version that is in the inbox. Raises Trouble.

    The client repeats a request whose answer was lost. What the first of them wrote runs then, and what the second
    wrote is refused, as the same bytes: the run is that of the first.
    """
    run, refusal = await_run(stack.bucket, stack.profile.stack_id, key, written.version)
    first = _first_of(stack.bucket, run, refusal) if refusal and written.is_resent else None
    if first:
        return Dropped(first, key, first.drop.version, checked)
    return Dropped(run, key, written.version, checked, refusal)


def _first_of(bucket: Bucket, run: Run, refusal: Refusal) -> Run | None:
    """Return the run that has the same bytes, if its drop is another version of the same upload."""
    named = RUN_ID_FORM.search(refusal.message)
    with explained():
        first = read_run(bucket, named[0]) if named else None
    is_same = first and first.drop.key == run.drop.key and first.drop.metadata == run.drop.metadata
    is_just_now = first and abs(run.drop.last_modified - first.drop.last_modified) < _REPEATED_WITHIN
    return first if is_same and is_just_now else None


def inbox_of(stack: ChosenStack) -> Inbox:
    """Return where a stack takes drops."""
    profile = stack.profile
    return Account(profile.region, profile.aws_profile).inbox(stack.bucket.bucket)


def _not_uploaded(trouble: Trouble, file: LocalFile, options: Options) -> Trouble:
    """Say that no object has appeared, whatever was sent of it."""
    more = list(trouble.more)
    if trouble.code == "not-allowed":
        own = "A dropper may write into the folder of their own project only."
        more = [own if options.project else f"{own} Name yours with --project PROJECT."]
    return Trouble(
        trouble.code,
        f"{file.path.name} was not uploaded: {trouble.message}",
        *more,
        "No run begins, and nothing is charged. The same command starts again.",
        commands=trouble.commands,
        exit_code=Exit.SURROUNDINGS,
    )
