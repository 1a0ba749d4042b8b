"""Why a drop is refused as a whole after its lines were checked, and what to do about it."""

from conveyor.domain.findings import Problem
from conveyor.settings.settings import Settings, parameter_of
from conveyor.validation.checker import MOST_FAULTS, MOST_MODEL_CHANGES, Checker
from conveyor.wording.text import counted


def reason_of(checker: Checker, settings: Settings) -> Problem | None:
    """Return why nothing of a drop is sent; None if it can be sent."""
    return _of_lines(checker, settings) or _of_the_whole(checker, settings)


def _of_lines(checker: Checker, settings: Settings) -> Problem | None:
    """Return a reason that is in the lines. Skipping invalid lines is offered only if most lines are valid."""
    if checker.gave_up:
        message = f"there are more than {MOST_FAULTS:,} faults; the rest of the drop was not checked"
        return "invalid-lines", message
    if not checker.lines:
        message = "the file has only blank lines: check the program that wrote it, and drop the file again"
        return "file-is-empty", message
    invalid, most = checker.lines - checker.requests, settings.max_invalid_percent
    if invalid * 100 > checker.lines * most:
        message = (
            f"{invalid:,} of {counted(checker.lines, 'line')} {'is' if invalid == 1 else 'are'} invalid, and the limit "
            f"is {most} % ({parameter_of('max_invalid_percent')}={most}): this is probably the wrong file, or its "
            "program has an error"
        )
        return "mostly-invalid", message
    if not checker.requests:
        return "no-requests", "the drop has no request that can be sent"
    if invalid and settings.on_invalid == "refuse":
        return "invalid-lines", "some lines are invalid: correct them, or skip them with --metadata on-invalid=skip"
    return None


def _of_the_whole(checker: Checker, settings: Settings) -> Problem | None:
    if checker.requests > settings.max_requests_per_drop:
        limit = settings.max_requests_per_drop
        message = (
            f"the drop has {checker.requests:,} requests; the stack's MaxRequestsPerDrop is {limit:,}: deploy with a "
            f"larger limit, or split the drop, for example with split -l {limit} --additional-suffix=.jsonl"
        )
        return "too-many-requests", message
    if checker.alternates:
        message = (
            f"the model changes more than {MOST_MODEL_CHANGES} times from line to line, and each batch of this stack "
            f"can have one model only: sort the lines by model, or drop one file per model"
        )
        return "models-alternate", message
    return None
