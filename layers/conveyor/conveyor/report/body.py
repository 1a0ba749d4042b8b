"""What the JSON body of a final message has beside the words."""

from collections import Counter
from typing import Any

from conveyor.domain import keys
from conveyor.receipt.receipt import Receipt
from conveyor.verdict.headline import cut_off, seconds_of
from conveyor.verdict.kinds import KINDS
from conveyor.verdict.verdict import Verdict
from conveyor.wording import commands
from conveyor.wording.message import MOST_CAUSES, Costs, FailureCause, usd_text

_OTHER = "other"


def facts_of(receipt: Receipt, verdict: Verdict, *, has_page: bool) -> dict[str, Any]:
    """Return the fields of the body, by name. `has_page`: whether there is a report."""
    is_complete = receipt.cost_usd is not None and not receipt.money.unpriced
    return {
        "requests": receipt.requests,
        "results": receipt.results,
        "failures": receipt.failures,
        "cut_off": cut_off(receipt),
        "retryable": receipt.retryable,
        "outcomes": dict(receipt.outcomes),
        "cost": Costs(
            usd_text(receipt.at_most_usd), usd_text(receipt.forecast_usd), usd_text(receipt.cost_usd), is_complete
        ),
        "seconds": seconds_of(receipt),
        "rounds": len(receipt.rounds),
        "causes": _causes(receipt, verdict),
        "files": _files(receipt, has_page=has_page),
        "commands": commands.command_words(step.command for step in verdict.steps),
    }


def _causes(receipt: Receipt, verdict: Verdict) -> list[FailureCause]:
    """Return why requests failed, by type: texts of the provider are left out."""
    counts = Counter[tuple[str, bool]]()
    for cause in verdict.causes:
        counts[cause.type, cause.is_retryable] += cause.lines
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:MOST_CAUSES]
    known = {*KINDS, *(receipt.findings.codes if receipt.findings else ())}
    return [
        FailureCause(type_, _code(type_) if type_ in known else _OTHER, lines, again) for (type_, again), lines in rows
    ]


def _code(type_: str) -> str:
    return type_.removesuffix("_error").replace("_", "-")


def _files(receipt: Receipt, *, has_page: bool) -> dict[str, str]:
    """Return the places of what was written."""
    bucket, place = str(receipt.drop["bucket"]), (receipt.name, receipt.run)
    written = {file.key.rpartition("/")[2].partition(".")[0]: file.key for file in receipt.files}
    account = {"receipt": keys.receipt(*place)} | ({"report": keys.report(*place)} if has_page else {})
    return {name: commands.url(bucket, key) for name, key in (written | account).items()}
