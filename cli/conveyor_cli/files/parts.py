"""What can be read of a run before it ends: the parts of batches that are split."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.output_file import OutputFile, joined
from conveyor.domain.plan import Plan
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Again, Merged
from conveyor.ledger.run_facts import Run
from conveyor.ledger.state import BatchState, RunState
from conveyor_cli.exits import Exit
from conveyor_cli.files.checking import Check, blocks_of
from conveyor_cli.files.disk import explained_disk, write_whole
from conveyor_cli.files.download import Fetched, fetch_file
from conveyor_cli.files.explain import explained_for
from conveyor_cli.files.fetch import PARTIAL, claim
from conveyor_cli.files.progress import SILENT, Progress
from conveyor_cli.runs.read import at_once
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble

PARTS = "parts"
"""The folder of the parts on this machine. They stay, so that only new ones are fetched later."""
KINDS = (keys.RESULTS, keys.FAILURES)


class SplitPart(msgspec.Struct, frozen=True):
    """A batch of which results and failures can be read."""

    batch: int
    results: int
    failures: int
    again: int
    """How many of the failures a round sends again: they may become results."""

    @property
    def requests(self) -> int:
        """How many requests of the drop it has."""
        return self.results + self.failures


class PartialRun(NamedTuple):
    """What there is of a run that has not ended, on this machine."""

    run: Run
    to: Path
    requests: int
    """Of the whole drop."""
    parts: list[SplitPart]
    missing: list[int]
    """The batches that are not split yet."""
    files: list[Fetched]
    """Results and failures of all parts, in the order of the drop."""
    new: int
    """How many parts were not there before."""

    @property
    def there(self) -> int:
        """How many requests of the drop have an outcome."""
        return sum(part.requests for part in self.parts)

    @property
    def again(self) -> int:
        """How many of the failures may become results."""
        return sum(part.again for part in self.parts)


def partial_name(kind: str) -> str:
    """Return the name of a file that has a part of the run only. Nobody takes it for the file of the whole run."""
    return kind.replace(".jsonl", ".partial.jsonl")


def fetch_parts(stack: ChosenStack, run: Run, to: Path, progress: Progress = SILENT) -> PartialRun:
    """Fetch what can be read of a run that has not ended. Parts that are there and match stay.

    Writes `results.partial.jsonl` and `failures.partial.jsonl` in the order of the drop, and `partial.json`, which says
    of which batches they are. Raises Trouble.
    """
    with explained_for(run):
        ledger = Ledger(stack.bucket, run.run)
        run_state = ledger.run_state()
        plan = ledger.plan(run_state) if run_state.planned else None
        accounts = _accounts(ledger, run_state, plan) if plan else {}
        if not accounts:
            message = f"Nothing of {run.name} can be read yet"
            raise Trouble("nothing-yet", message, "Results appear batch by batch.", exit_code=Exit.USAGE)
        claim(to, run)
        wanted = [(part.batch, file) for part, files in accounts.items() for file in files]
        progress.begins(len(wanted), sum(file.bytes for _, file in wanted))
        fetched = [fetch_file(stack.bucket, file, _place(to, number, file), progress, replaces=True)
                   for number, file in wanted]  # fmt: skip
    files = [_join(to, kind, wanted) for kind in KINDS]
    numbers = [batch.number for batch in plan.batches] if plan else []
    missing = [number for number in numbers if number not in {part.batch for part in accounts}]
    new = sum(not each.was_there for each in fetched)
    partial = PartialRun(run, to, plan.drop.lines if plan else 0, list(accounts), missing, files, new)
    _write_account(partial)
    return partial


def _accounts(ledger: Ledger, run_state: RunState, plan: Plan) -> dict[SplitPart, list[OutputFile]]:
    """Return the parts of results and failures by batch, in the order of the drop."""
    states = {batch.number: run_state.batch(batch.number) for batch in plan.batches}
    split = [(number, batch_state) for number, batch_state in states.items() if batch_state.parted]
    return dict(at_once(lambda each: _account(ledger, *each), split))


def _account(ledger: Ledger, number: int, batch_state: BatchState) -> tuple[SplitPart, list[OutputFile]]:
    fact = ledger.read(Merged, number) if batch_state.merged else ledger.read(Part, number)
    files = {keys.file_of(file.key): file for file in fact.files}
    may_change = batch_state.has_again and not batch_state.merged
    again = ledger.read(Again, number).requests if may_change else 0
    results, failures = (files[kind] for kind in KINDS)
    return SplitPart(number, results.lines, failures.lines, again), [results, failures]


def _place(to: Path, number: int, file: OutputFile) -> Path:
    return to / PARTS / keys.file_of(file.key).replace(".jsonl", f"-{number}.jsonl")


def _join(to: Path, kind: str, accounts: Iterable[tuple[int, OutputFile]]) -> Fetched:
    """Write the parts of a file one after the other, and compare that with their accounts."""
    path = to / partial_name(kind)
    new = path.with_name(f"{path.name}.new")
    parts = [(number, file) for number, file in accounts if keys.file_of(file.key) == kind]
    check = Check(joined(path.name, [file for _, file in parts]))
    with explained_disk(path):
        with new.open("wb") as file:
            for number, account in parts:
                for data in blocks_of(_place(to, number, account)):
                    check.feed(data)
                    file.write(data)
        if check.fault:
            raise Trouble("checksum", f"{path} does not match its parts ({check.fault})", "Type the command once more.")
        new.replace(path)
    return Fetched(path, check.lines, check.bytes, check.sha256, verified=check.is_by_checksum)


def _write_account(partial: PartialRun) -> None:
    about = {
        "run": partial.run.run,
        "name": partial.run.name,
        "requests": partial.requests,
        "batches": partial.parts,
        "missing": partial.missing,
    }
    write_whole(partial.to / PARTIAL, msgspec.json.format(msgspec.json.encode(about)) + b"\n")
