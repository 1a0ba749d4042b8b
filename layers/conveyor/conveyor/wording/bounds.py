"""What messages say about the most that a run can cost."""

from conveyor.money.estimate import Estimate
from conveyor.wording.text import counted, exact_dollars

NO_BOUND = {
    "url": "URLs",
    "file": "files at the provider",
    "tools": "tools that the provider runs",
    "content": "content of a type that is not known",
    "field": "fields that are not known",
    "pdf": "PDFs",
    "api": "another API, whose prices are not known",
    "price": "models without a known price",
    "models": "too many models",
}
"""Why requests have no bound, by `money.bounds.NoBound`."""


def at_most(estimate: Estimate) -> str:
    """Return the most that requests can cost; if they have no bound, why not."""
    if estimate.at_most_usd is not None:
        return exact_dollars(estimate.at_most_usd)
    reasons = [f"{counted(count, 'request')} with {NO_BOUND[reason]}" for reason, count in estimate.no_bound.items()]
    return f"no bound ({', '.join(reasons)})"


def at_most_rows(estimate: Estimate | None) -> list[tuple[str, str]]:
    """Return the row of a message that says it; none for a run that was planned before there were estimates."""
    return [("At most", at_most(estimate))] if estimate is not None else []
