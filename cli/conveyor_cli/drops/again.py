"""What is in the bucket already is dropped once more: the lines of a run that are worth it, or its very drop."""

from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, DRY_RUN, NO_VERSION, Source
from conveyor.ledger.run_facts import Run
from conveyor.settings.metadata import corrected_metadata
from conveyor.wording.commands import Version, key_again, key_of_retry
from conveyor_cli.aws.errors import AWS_ERRORS, PASSES, explain, explained
from conveyor_cli.aws.inbox import Written
from conveyor_cli.drops.drop import inbox_of, may_have_arrived
from conveyor_cli.drops.options import Options, key_of
from conveyor_cli.exits import Exit
from conveyor_cli.runs.find import find_named
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble


class Copy(NamedTuple):
    """What is copied into the inbox."""

    of: Run
    source: Source
    key: str
    metadata: dict[str, str]
    lines: int | None = None
    """None: all of the drop."""
    others: tuple[str, ...] = ()
    """Older runs of the same name, if it was named so."""


class _Receipt(msgspec.Struct):
    """What is needed of a receipt."""

    retryable: int


def lines_of(stack: ChosenStack, called: str, options: Options) -> Copy:
    """Return the lines of a run that are worth sending again, with its settings and those that are chosen.

    Raises Trouble if there are none, or the run has not ended.
    """
    bucket = stack.bucket
    with explained():
        run, others = find_named(bucket, called, reads_all=True)
        found = bucket.find(keys.receipt(run.name, run.run))
        if not found:
            more = "The lines that are worth sending again are known at its end."
            raise _wrong("not-ended", f"{run.name} has not ended", more)
        lines = msgspec.json.decode(found, type=_Receipt).retryable
        if not lines:
            raise _wrong("nothing-to-retry", f"{run.name} has no lines that are worth sending again")
        source = Source(keys.retry(run.name, run.run))
        carried = inbox_of(stack).metadata(source.key)
    key = _key(key_of_retry(_version(run), run.name), options)
    return Copy(run, source, key, carried | options.metadata(), lines, others)


def drop_of(stack: ChosenStack, called: str, options: Options) -> Copy:
    """Return the very version that was dropped, with its settings and those that are chosen.

    The word that permits another run of the same content counts once, so it is the id of this run. Raises Trouble.
    """
    with explained():
        run, others = find_named(stack.bucket, called, reads_all=True)
    version = _version(run)
    if run.drop.version == NO_VERSION or not version.is_copyable:
        message = f"{run.name} cannot be copied: it has no version, or more than 5 GiB"
        raise _wrong("not-copyable", message, "Drop its file once more, with --again.")
    carried = corrected_metadata(run.drop.metadata, run.settings)
    carried.pop(DRY_RUN, None)
    metadata = carried | options.metadata() | {AGAIN: run.run}
    return Copy(run, run.drop.source, _key(key_again(version, run.name), options), metadata, others=others)


def copy(stack: ChosenStack, what: Copy) -> Written:
    """Copy it into the inbox. Raises Trouble."""
    try:
        return inbox_of(stack).copy(what.source, what.key, what.metadata)
    except AWS_ERRORS as error:
        why = explain(error)
        raise (may_have_arrived(why, "the copy") if why.code in PASSES else why) from error


def _key(usual: str, options: Options) -> str:
    return key_of(usual.rpartition("/")[2], options) if options.project or options.name else usual


def _version(run: Run) -> Version:
    return Version(run.drop.bucket, run.drop.key, run.drop.version, run.drop.bytes)


def _wrong(code: str, message: str, more: str = "") -> Trouble:
    return Trouble(code, message, *([more] if more else []), "Nothing was changed.", exit_code=Exit.USAGE)
