"""Why a drop whose lines were checked is refused as a whole, and what to do about it."""

from conveyor.settings.settings import Settings
from conveyor.validation.checker import MOST_FAULTS, MOST_MODEL_CHANGES, Check
from conveyor.wording.text import counted

type Reason = tuple[str, str]
"""A code, and a message for a person."""


def reason_of(check: Check, settings: Settings) -> Reason | None:
    """Return why nothing of a drop is sent; None if it can be sent."""
    return _of_lines(check, settings) or _of_the_whole(check, settings)


def _of_lines(check: Check, settings: Settings) -> Reason | None:
    """Return what is wrong with the lines: skipping invalid ones is an offer only if most lines are valid."""
    if check.gave_up:
        message = f"there are more than {MOST_FAULTS:,} faults; the rest of the drop was not checked"
        return "invalid-lines", message
    if not check.lines:
        message = "the file holds no line but blank ones: see what went wrong where it was made, and drop it again"
        return "file-is-empty", message
    invalid, most = check.lines - check.requests, settings.max_invalid_percent
    if invalid * 100 > check.lines * most:
        message = (
            f"{invalid:,} of {counted(check.lines, 'line')} {'is' if invalid == 1 else 'are'} invalid, and the limit "
            f"is {most} % (MaxInvalidPercent): this is probably the wrong file, or not what its program "
            "should have written"
        )
        return "mostly-invalid", message
    if not check.requests:
        return "no-requests", "the drop holds no request that could be sent"
    if invalid and settings.on_invalid == "refuse":
        return "invalid-lines", "some lines are invalid: correct them, or skip them with --metadata on-invalid=skip"
    return None


def _of_the_whole(check: Check, settings: Settings) -> Reason | None:
    if check.requests > settings.max_requests_per_drop:
        limit = settings.max_requests_per_drop
        message = (
            f"the drop holds {check.requests:,} requests; the stack's MaxRequestsPerDrop is {limit:,}: deploy with "
            f"a larger one, or drop parts, made with split -l {limit} --additional-suffix=.jsonl, say"
        )
        return "too-many-requests", message
    if check.alternates:
        message = (
            f"the lines change the model more than {MOST_MODEL_CHANGES} times, and in this stack's form each batch "
            f"holds one model: sort the lines by model, or drop a file for each"
        )
        return "models-alternate", message
    return None
