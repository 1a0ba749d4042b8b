"""Plan a round: the lines that it sends again, in a file of their own, cut into batches like a drop."""

from array import array
from collections.abc import Iterable, Iterator
from hashlib import sha256

from conveyor.context import RunContext
from conveyor.domain import keys
from conveyor.domain.drop import Source
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.domain.schedule import BatchName
from conveyor.ledger.line_index import decode_index, read_numbers
from conveyor.ledger.round_facts import Round
from conveyor.ledger.state import RunState
from conveyor.money.prices import PRICES
from conveyor.s3.bucket import Bucket
from conveyor.s3.concatenate import concatenate
from conveyor.validation.checker import check_drop


def plan_due_rounds(context: RunContext, run_state: RunState) -> bool:
    """Plan the rounds that are due; return whether there were any.

    A round follows from its fact and the parts that it names: planning it again writes the same.
    """
    rounds = {number: context.ledger.read(Round, number) for number in run_state.unplanned_rounds}
    due = {number: each for number, each in rounds.items() if each.not_before <= context.now()}
    if not due:
        return False
    plan = context.ledger.plan(run_state)
    for number, each in due.items():
        _plan(context, plan, keys.round_leg(number), [BatchName.from_event(source) for source in each.sources])
    return True


def _plan(context: RunContext, plan: Plan, leg: str, sources: list[BatchName]) -> None:
    _write_numbers(context, plan, leg, sources)
    bytes_ = _write_lines(context, leg, sources)
    lines = _Lines(context.bucket, Source(keys.leg_lines(context.run.content_prefix, leg)), bytes_)
    of_leg, prices = context.of_leg(leg), plan.drop.prices or PRICES
    checker = check_drop(of_leg.leg_id, context.run.settings, context.api.dialect, lines.chunks, prices=prices)
    if checker.faults:
        raise RuntimeError(f"{leg} has lines that were valid in the drop: {checker.faults[0].code}")
    estimate = checker.estimate()
    drop = ValidatedDrop(checker.lines, lines.sha256, estimate=estimate, is_gated=True)
    of_leg.ledger.write_plan(Plan(drop, checker.batches))


class _Lines:
    """The file of a round. Its checksum is taken while it is checked: it may be as large as the largest drop."""

    def __init__(self, bucket: Bucket, source: Source, size: int) -> None:
        self._bucket = bucket
        self._source = source
        self._size = size
        self._digest = sha256()

    def chunks(self) -> Iterator[bytes]:
        """Yield all of its bytes, from the beginning."""
        self._digest = sha256()
        for chunk in self._bucket.stream(self._source, 0, self._size):
            self._digest.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """Of all of its bytes, once they were read."""
        return self._digest.hexdigest()


def _write_numbers(context: RunContext, plan: Plan, leg: str, sources: list[BatchName]) -> None:
    """Write the numbers that the lines of a round have in the drop."""
    numbers = array("Q")
    for source in sources:
        numbers.extend(_numbers_again(context, plan, source))
    context.bucket.put(keys.leg_numbers(context.run.content_prefix, leg), numbers.tobytes())


def _numbers_again(context: RunContext, plan: Plan, source: BatchName) -> Iterable[int]:
    """Return the numbers of the lines that a batch has kept for a round, in the order in which it has kept them.

    That is the order of the lines that it was sent from. Those of a round are not in the order of the drop if a batch
    of the drop was split after an earlier round had begun.
    """
    index = context.bucket.get(keys.line_index(context.of_leg(source.leg).content_prefix, source.number))
    again = {place.line for place in decode_index(index) if place.again}
    if not source.leg:
        return sorted(again)
    batch = plan.of_leg(source.leg).batch(source.number)
    sent = read_numbers(context.bucket, keys.leg_numbers(context.run.content_prefix, source.leg), batch)
    return (number for number in sent if number in again)


def _write_lines(context: RunContext, leg: str, sources: list[BatchName]) -> int:
    """Join the lines that the batches have kept for a round; return how many bytes they have."""
    found = [keys.lines_again(context.of_leg(source.leg).content_prefix, source.number) for source in sources]
    sizes = {key: context.bucket.describe(key, None).bytes for key in found}
    concatenate(context.bucket, keys.leg_lines(context.run.content_prefix, leg), sizes, {})
    return sum(sizes.values())
