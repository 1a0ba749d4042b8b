"""What a final message says about failures, faults and lines set aside: counts, types and places, never a prompt."""

from conveyor.domain import keys
from conveyor.receipt.receipt import Receipt
from conveyor.s3.read_errors import CANNOT
from conveyor.verdict.kinds import KINDS
from conveyor.wording import commands
from conveyor.wording.text import counted, paragraph, sentence

_MOST_CAUSES = 5
_MOST_CODES = 10
_LONGEST_FAULT = 160


def causes_of(receipt: Receipt) -> list[str]:
    """Name the most frequent types of errors. Error texts are only in the receipt, since they may quote a line."""
    if not receipt.errors:
        return []
    first = list(receipt.errors.items())[:_MOST_CAUSES]
    width = max(len(f"{kind.failures:,}") for _, kind in first)
    rows = [f"  {kind.failures:>{width},}  {_named(receipt, name)}" for name, kind in first]
    rest = receipt.failures - sum(kind.failures for _, kind in first)
    if rest > 0:
        rows.append(f"  {rest:>{width},}  of other types")
    heading = "Failures by type; examples of the provider's error texts are in the receipt, under `errors`:"
    return ["", *paragraph(heading), *rows]


def _named(receipt: Receipt, name: str) -> str:
    if receipt.findings and name in receipt.findings.codes:
        return f"{name}: invalid lines, which were left out"
    return f"{name}: {KINDS[name]}" if name in KINDS else name


def faults_of(receipt: Receipt) -> list[str]:
    """Name the first faults of a drop that was refused for its lines, and count them by code."""
    if not receipt.files:
        return []
    lines = []
    if findings := receipt.findings:
        lines.append("")
        for fault in findings.first:
            where = f"line {fault.line:,}" if fault.line is not None else "the drop"
            lines.append(f"  {where}: {fault.message[:_LONGEST_FAULT]} ({fault.code})")
        codes = [f"{count:,} {code}" for code, count in findings.codes.items()]
        more = f" and {counted(len(codes) - _MOST_CODES, 'more code')}" if len(codes) > _MOST_CODES else ""
        lines += ["", *paragraph(f"By code: {', '.join(codes[:_MOST_CODES])}{more}.")]
    listed = receipt.files[0].lines
    text = f"{counted(listed, 'fault is', 'faults are')} listed"
    of_lines = f"{counted(receipt.requests, 'line was', 'lines were')} read"
    text = f"{text} ({of_lines})" if receipt.requests else f"The first {text}"
    lines += ["", *paragraph(f"{text}, each with its line, a code and what to do, in:")]
    return [*lines, "", f"  {commands.url(str(receipt.drop['bucket']), receipt.files[0].key)}"]


def set_aside(receipt: Receipt) -> list[str]:
    """Say what is in `aside.jsonl`, if anything: it may include answers that were paid for."""
    repeated = sum(batch.repeated for batch in receipt.all_batches)
    foreign = sum(batch.foreign for batch in receipt.all_batches)
    kinds = [
        (
            receipt.repaired,
            "result held characters that are not valid JSON text; they were replaced (U+FFFD)",
            "results held characters that are not valid JSON text; they were replaced (U+FFFD)",
        ),
        (
            receipt.unreadable,
            "failure has a result line that could not be read; it may have been billed",
            "failures have a result line that could not be read; they may have been billed",
        ),
        (
            repeated,
            "result line is for a request that already had one",
            "result lines are for requests that already had one",
        ),
        (
            foreign,
            "result line belongs to no request of this drop",
            "result lines belong to no request of this drop",
        ),
    ]
    lines = [f"  {counted(count, one, many)}" for count, one, many in kinds if count]
    where = commands.url(str(receipt.drop["bucket"]), keys.aside(receipt.name, receipt.run))
    return ["", "The provider's original lines are set aside in", where + ":", *lines] if lines else []


def without_ids(receipt: Receipt) -> list[str]:
    """Say what identifies outcomes if the drop could not be read any more."""
    if not receipt.drop_unreadable:
        return []
    why = receipt.drop_unreadable.removeprefix(CANNOT)
    return [
        "",
        *paragraph(
            sentence(f"The drop could not be read when results were written: {why}"),
            'So ids are missing. Where "custom_id" is null, "line" is the number of the line in your file (null for a',
            "failure whose line is unknown). None of these can be sent again from retry.jsonl: no line could be read.",
        ),
    ]
