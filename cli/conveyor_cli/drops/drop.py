"""Drop a file: check it as the stack will, upload it, and wait for its run. Nothing is written to a screen."""

from pathlib import Path
from typing import NamedTuple

from conveyor.ledger.run_facts import Refusal, Run
from conveyor_cli.aws.account import Account
from conveyor_cli.aws.errors import AWS_ERRORS, explain
from conveyor_cli.aws.inbox import Inbox
from conveyor_cli.drops.check import CheckedFile, check, refuse_if_wrong
from conveyor_cli.drops.file import LocalFile, Sent, Tell, silent
from conveyor_cli.drops.options import AS_THE_STACK_HAS_IT, Options
from conveyor_cli.drops.started import await_run
from conveyor_cli.exits import Exit
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble


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
    version = upload(stack, checked, tell)
    return dropped(stack, checked.run.drop.key, version, checked)


def upload(stack: ChosenStack, checked: CheckedFile, tell: Tell = silent) -> str:
    """Upload a file that was checked, and return its version. Raises Trouble; then no object appears, and nothing runs.

    So it is if the file has changed since it was checked.
    """
    drop, file = checked.run.drop, checked.file
    file.refuse_changed()
    try:
        with Sent(file) as stream:
            return inbox_of(stack).upload(stream, drop.key, drop.metadata, tell)
    except AWS_ERRORS as error:
        raise _not_uploaded(explain(error), file, checked.options) from error


def dropped(stack: ChosenStack, key: str, version: str, checked: CheckedFile | None = None) -> Dropped:
    """Wait for the run of a version that is in the inbox."""
    run, refusal = await_run(stack.bucket, stack.profile.stack_id, key, version)
    return Dropped(run, key, version, checked, refusal)


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
