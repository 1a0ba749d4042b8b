"""Check a file as the stack will, before a byte of it is uploaded."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, Drop
from conveyor.domain.findings import Fault, Problem
from conveyor.domain.plan import ValidatedDrop
from conveyor.intake.check import Checked, check_file, plan_file
from conveyor.intake.new_run import new_run
from conveyor.ledger.run_facts import Run
from conveyor.money.estimate import Estimate
from conveyor.provider.protocol import dialect_of
from conveyor.s3.bucket import Bucket
from conveyor_cli.aws.errors import explained
from conveyor_cli.drops.deployed import Known, Note, known_of
from conveyor_cli.drops.file import LocalFile, Tell, silent
from conveyor_cli.drops.options import Options, key_of
from conveyor_cli.exits import Exit
from conveyor_cli.runs.find import find_run, read_run
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

_NOT_YET = "not-uploaded"
"""Stands for the version of what is not uploaded."""


class CheckedFile(NamedTuple):
    """What the stack would make of a file, as far as that can be known at a desk. Content seen before cannot."""

    file: LocalFile
    options: Options
    run: Run
    """As the stack would write it, but for its id: that has the version of the object in it."""
    checked: Checked
    drop: ValidatedDrop | None
    """What would be sent; None if the file is refused."""
    notes: tuple[Note, ...]

    @property
    def reason(self) -> Problem | None:
        """Why the stack would refuse it: a code, and a message without its end."""
        return self.checked.reason

    @property
    def faults(self) -> list[Fault]:
        """The faults of its lines."""
        return self.checked.checker.faults if self.checked.checker else []

    @property
    def lines(self) -> int | None:
        """Lines that are not blank; None if not all were read."""
        checker = self.checked.checker
        return None if checker is None or checker.gave_up else checker.lines

    @property
    def requests(self) -> int:
        """Lines that are valid."""
        return self.checked.checker.requests if self.checked.checker else 0

    @property
    def estimate(self) -> Estimate | None:
        """What the valid lines can cost at most; None if they were not read."""
        checker = self.checked.checker
        return None if checker is None or checker.gave_up else checker.estimate()


class Refused(Trouble):
    """The file was not uploaded, since the stack would refuse it."""

    def __init__(self, file: CheckedFile, code: str, message: str) -> None:
        super().__init__(code, f"Not dropped: {message}", "Nothing was sent or charged.", exit_code=Exit.NO_RESULTS)
        self.file = file

    @property
    def faults(self) -> list[Fault]:
        """All faults of its lines."""
        return self.file.faults


def check(stack: ChosenStack, path: Path, options: Options, tell: Tell = silent) -> CheckedFile:
    """Check a file with the rules, settings, limits and prices of a stack. `stack`: as it is deployed now.

    Raises Trouble if that cannot be done: wrong options, no such file, no access.
    """
    return check_with(known_of(stack), stack, path, options, tell)


def check_with(known: Known, stack: ChosenStack, path: Path, options: Options, tell: Tell = silent) -> CheckedFile:
    """Check a file by what is known of a stack."""
    file = LocalFile(path, known.settings.max_bytes_per_drop, tell)
    key, metadata = key_of(path.name, options), options.metadata()
    drop = Drop(stack.bucket.bucket, key, _NOT_YET, "", file.size, datetime.now(UTC), metadata)
    if options.again:
        metadata[AGAIN] = _word_for_again(stack.bucket, drop.name)
    run = new_run(drop.run_id(stack.profile.stack_id), drop, known.settings, known.config)
    if run.problem and run.code == "unreadable":
        raise Trouble("usage", run.problem, "Nothing was uploaded.", exit_code=Exit.USAGE)
    dialect = dialect_of(run.settings)
    checked = check_file(run, dialect, file, known.config.prices)
    planned = None
    if checked.reason is None and checked.checker:
        planned = plan_file(run, dialect, file, checked.checker, known.config).drop
    return CheckedFile(file, options, run, checked, planned, known.notes)


def refuse_if_wrong(file: CheckedFile) -> None:
    """Raise Refused if the stack would refuse a file."""
    if file.reason:
        raise Refused(file, *file.reason)


def _word_for_again(bucket: Bucket, name: str) -> str:
    """Return a word that permits another run of the same content. Each counts once, so it is the last run's id.

    Ids of runs that began in the same second have no order. The last of them is none that another was permitted by.
    """
    try:
        with explained():
            newest = find_run(bucket, name).run
            found = [read_run(bucket, each) for each in bucket.folders(keys.RUNS, newest.partition("-")[0])]
    except Trouble as trouble:
        if trouble.code != "no-run":
            raise
        return "yes"
    alike = [run for run in found if run and run.name == name]
    used = {run.drop.again for run in alike}
    return next((run.run for run in alike if run.run not in used), newest)
