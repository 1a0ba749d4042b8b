"""One split of one batch: what it works on, and where its files go."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.drop import nonce
from conveyor.domain.plan import Batch, Plan, Probe
from conveyor.jsonl.lines import Line
from conveyor.jsonl.validated_lines import CUSTOM_ID, CUSTOM_ID_AND_KEPT_KEYS, FieldValues
from conveyor.ledger.fact import BatchFact
from conveyor.ledger.line_index import LegOutputs, read_numbers
from conveyor.ledger.state import BatchState
from conveyor.money.prices import PRICES, Prices


class SplitJob(NamedTuple):
    """One split of one batch."""

    context: RunContext
    batch: Batch
    batch_state: BatchState
    number: int
    """Of the split, counted from 1: files that an earlier one has left are replaced."""
    is_whole: bool
    """True for the only batch of a run without legs: it writes the user's files, unless a round may follow.

    Other batches write parts of them.
    """
    spool_bytes: int
    """Bytes of disk that results may take."""
    prices: Prices = PRICES
    """What applies to the run."""
    probe: Probe | None = None
    """The lines of the run that are answered in the probe."""
    drop_unreadable: str | None = None
    """Why the lines of the drop cannot be read any more, if so. Then only their numbers are known."""
    numbers: Sequence[int] = ()
    """The numbers that the lines have in the drop, for a batch of a leg."""
    has_kept_keys: bool = False
    """Whether lines have keys that come back with their outcomes."""

    @property
    def nonce(self) -> str:
        """The beginning of the ids under which the requests were sent."""
        return nonce(self.context.leg_id)

    @property
    def is_resendable(self) -> bool:
        """Whether the lines of the drop can be copied to `retry.jsonl`."""
        return self.drop_unreadable is None

    @property
    def has_unknown_lines(self) -> bool:
        """Whether it cannot be known which lines are requests: the drop is unreadable, and some lines were blank."""
        batch = self.batch
        lines = batch.last_line - batch.first_line + 1 - len(batch.unsent_lines)
        return self.drop_unreadable is not None and lines != batch.requests

    @property
    def has_rounds(self) -> bool:
        """Whether a round sends requests again that fail for a reason that passes."""
        return self.is_resendable and self.context.run.settings.retry_rounds > keys.round_number(self.context.leg)

    @property
    def keeps_lines(self) -> bool:
        """Whether lines for a round are kept: those of the probe are kept by the batches that they belong to."""
        return self.has_rounds and self.context.leg != keys.PROBE

    def is_early(self, *, has_again: bool) -> bool:
        """Tell whether results and failures are parts that people can read before the run ends."""
        return not self.context.leg and (has_again or not self.is_whole)

    def key(self, file: str, *, has_again: bool) -> str:
        """Return the key of one of the four output files. `has_again`: whether a round may send lines of it again."""
        run, number = self.context.run, self.batch.number
        if self.is_whole and not has_again:
            return keys.output(run.name, run.run, file)
        if self.is_early(has_again=has_again) and file in {keys.RESULTS, keys.FAILURES}:
            return keys.early_part(run.name, run.run, number, file)
        return keys.output_part(self.context.content_prefix, number, file)

    def drop_line(self, line: int | None) -> int | None:
        """Return the number in the drop of a line of the batch."""
        return self.numbers[line - self.batch.first_line] if self.context.leg and line else line

    def custom_ids(self) -> Iterator[FieldValues]:
        """Read the user's ids of the requests from the drop, a block of lines at a time."""
        blocks = self.context.blocks(self.batch)
        return CUSTOM_ID.read(blocks, self.batch.first_line, self.batch.unsent_lines)

    def custom_ids_and_kept_keys(self) -> Iterator[FieldValues]:
        """Read the same, with the keys that come back with the outcomes of their lines."""
        if not self.has_kept_keys:
            return self.custom_ids()
        field = CUSTOM_ID_AND_KEPT_KEYS[self.context.api.dialect.form.url is not None]
        return field.read(self.context.blocks(self.batch), self.batch.first_line, self.batch.unsent_lines)

    def probed_outputs(self) -> LegOutputs:
        """Return what the probe has written for lines of the batch."""
        batches = [batch.number for batch in self.probe.batches] if self.probe else []
        content = keys.leg_content(self.context.run.content_prefix, keys.PROBE)
        return LegOutputs(self.context.bucket, content, batches, self.batch.probed)

    def lines(self) -> Iterator[Line]:
        """Read the lines of the batch from the drop, invalid ones included."""
        return self.context.lines(self.batch)

    def request_lines(self) -> Iterable[int]:
        """Return the line numbers of all requests. Raises ValueError if they are unknown."""
        if self.is_resendable:
            return chain.from_iterable(values.numbers for values in self.custom_ids())
        if self.has_unknown_lines:
            raise ValueError(f"batch {self.batch.number} has blank lines: which lines are requests is unknown")
        unsent = self.batch.unsent_lines
        return [line for line in range(self.batch.first_line, self.batch.last_line + 1) if line not in unsent]

    def read[F: BatchFact](self, kind: type[F], *place: int) -> F:
        """Read a fact of the batch from the ledger."""
        return self.context.ledger.read(kind, self.batch.number, *place)

    def write(self, fact: BatchFact, *place: int) -> None:
        """Write a fact of the batch to the ledger."""
        self.context.ledger.write(fact, self.batch.number, *place)


def lines_of_leg(context: RunContext, plan: Plan, batch: Batch) -> Sequence[int]:
    """Return the numbers that the lines of a leg's batch have in the drop; none for a batch of the drop itself."""
    if not context.leg:
        return ()
    if context.leg == keys.PROBE and plan.drop.probe:
        return [each.line for each in plan.drop.probe.lines[batch.first_line - 1 : batch.last_line]]
    return read_numbers(context.bucket, keys.leg_numbers(context.run.content_prefix, context.leg), batch)
