"""Read the lines of a drop's probe again, and plan them as a file of their own."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from conveyor.context import RunContext
from conveyor.domain.drop import Source
from conveyor.jsonl.lines import Line, LineBlock, split_block
from conveyor.money.prices import Prices
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.submit.probe_plan import ChosenLine, PlannedProbe, plan_probe
from conveyor.validation.checker import Checker
from conveyor.validation.sample import Place


def probe_of(context: RunContext, checker: Checker, prices: Prices, *, unpacked: bool) -> PlannedProbe | None:
    """Return the probe of a checked drop, and take its lines out of the checked batches; None if no line fits.

    `prices`: those of the run. The probe follows from the drop and the run: validating it again gives the same.
    Raises DropUnreadable.
    """
    run, places = context.run, checker.sample()
    if not places:
        return None
    read = partial(_read, context.bucket, context.source(unpacked=unpacked))
    with ThreadPoolExecutor(MOST_READS) as readers:
        lines = list(readers.map(read, places))
    chosen = [ChosenLine(line, place.model) for line, place in zip(lines, places, strict=True)]
    return plan_probe(run.run, run.settings, context.api.dialect, prices, checker.batches, chosen)


def _read(bucket: Bucket, source: Source, place: Place) -> Line:
    data = b"".join(bucket.stream(source, place.start, place.end))
    (line,) = split_block(LineBlock(data, 0, len(data), place.start), place.line)
    return line
