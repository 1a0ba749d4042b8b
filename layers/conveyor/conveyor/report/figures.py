"""The figures of a final message: what became of the requests, what was used, and where the files are."""

from conveyor.domain import keys
from conveyor.domain.status import Status
from conveyor.receipt.batch_account import probe_rows, round_rows
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.causes import causes_of
from conveyor.verdict.charges import tokens_of
from conveyor.verdict.headline import cut_off, is_unsent
from conveyor.verdict.kinds import KINDS
from conveyor.wording.bounds import at_most_rows, forecast_rows
from conveyor.wording.commands import url
from conveyor.wording.mail import block
from conveyor.wording.numbers import share
from conveyor.wording.text import table

_MOST_CAUSES = 5
_PASSES = "; worth sending again"
_LABELS = {
    "results.jsonl": "Results",
    "failures.jsonl": "Failures",
    "retry.jsonl": "To send again",
    "aside.jsonl": "Set aside",
    "invalid.jsonl": "Faults",
}


def figures_of(receipt: Receipt) -> list[str]:
    """Return the figures of a run: first a column of counts, then a row for each other figure and place."""
    return block([] if is_unsent(receipt) else _counts(receipt), _places(receipt))


def _counts(receipt: Receipt) -> list[str]:
    rows = [("answered", receipt.results, _share(receipt, receipt.results))]
    if cut := cut_off(receipt):
        rows.append(("cut off", cut, "of them reached max_tokens: paid for, not complete"))
    rows.append(("failed", receipt.failures, _share(receipt, receipt.failures)))
    named, left = _causes(receipt)
    rows += [("", count, words) for words, count in named]
    if left:
        rows.append(("", left, "of other types"))
    width = max(len(f"{count:,}") for _, count, _ in rows)
    return [f"  {label:<8}  {count:>{width},}   {note}".rstrip() for label, count, note in rows]


def _causes(receipt: Receipt) -> tuple[list[tuple[str, int]], int]:
    """Return the most frequent types of errors, and how many failures have others.

    Error texts are only in the report, since they may quote a line.
    """
    causes = causes_of(receipt)
    passes = {each.type for each in causes if each.is_retryable} - {
        each.type for each in causes if not each.is_retryable
    }
    counts = {name: kind.failures for name, kind in receipt.errors.items()}
    first = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:_MOST_CAUSES]
    rows = [(f"{_named(receipt, name)}{_PASSES if name in passes else ''}", count) for name, count in first]
    return rows, sum(counts.values()) - sum(count for _, count in first)


def _share(receipt: Receipt, count: int) -> str:
    return share(count, receipt.requests) if receipt.failures else ""


def _named(receipt: Receipt, name: str) -> str:
    if receipt.findings and name in receipt.findings.codes:
        return f"{name}: invalid lines, which were left out"
    return f"{name}: {KINDS[name]}" if name in KINDS else name


def _places(receipt: Receipt) -> list[str]:
    """Return bounds, tokens, and where files and receipt are."""
    named = [(file, file.key.rsplit("/", 1)[-1]) for file in receipt.files]
    there = [(file, name) for file, name in named if file.lines or name not in {keys.RETRY, keys.ASIDE}]
    rows = [(_LABELS[name], _url(receipt, file.key)) for file, name in there]
    rows += [("Receipt", _url(receipt, keys.receipt(receipt.name, receipt.run)))]
    drop = [("Drop", _url(receipt, str(receipt.drop["key"])))] if is_unsent(receipt) else []
    sent = [*probe_rows(receipt.probe), *round_rows(receipt.rounds)]
    bound = [] if receipt.status == Status.REFUSED else at_most_rows(receipt.estimate)
    return table([*bound, *forecast_rows(receipt.forecast), *sent, *tokens_of(receipt), *drop, *rows])


def _url(receipt: Receipt, key: str) -> str:
    return url(str(receipt.drop["bucket"]), key)
