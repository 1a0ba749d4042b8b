"""The provider's refusals: what follows from an answer that proves that nothing was created."""

import re
from collections.abc import Mapping

from conveyor.domain.invocation import utc_now
from conveyor.domain.refusal import Cause, RefusalKind, cause_of
from conveyor.provider.error_body import ErrorBody, parse_error
from conveyor.provider.protocol import Refused
from conveyor.provider.retry_after import parse_retry_after
from conveyor.provider.transport import HttpResponse

CERTAIN_REFUSALS = {
    400: RefusalKind.DEFECT,
    401: RefusalKind.STOP,
    402: RefusalKind.STOP,
    403: RefusalKind.STOP,
    413: RefusalKind.DEFECT,
    429: RefusalKind.LATER,
}
"""What follows from each HTTP status that proves, of every batch API, that a create call created nothing.

No other status proves it: not 404, 408, 409 or 5xx either. A dialect adds those that prove it of its own API.
"""
_LONGEST_MESSAGE = 300
_NAME = re.compile(r"[a-z0-9_]{1,60}")


def error_in(answer: HttpResponse) -> ErrorBody:
    """Read an error's words. A 413 comes from before the API, and its body may be anything: plain text, or a page."""
    said = parse_error(answer.body)
    if said is not None and any(said):
        return said
    text = "" if said is not None else answer.body.decode(errors="replace").strip()
    words = text if text and not text.startswith("<") else f"the provider answered HTTP {answer.status}"
    return ErrorBody(f"http_{answer.status}", "", words)


def refused_from(answer: HttpResponse, sure: Mapping[int, RefusalKind]) -> Refused | None:
    """Return the refusal an answer to a create call is, or None where it proves nothing.

    `sure`: what follows from each status that proves it.
    """
    status, kind = answer.status, sure.get(answer.status)
    if kind is None:
        return None
    said = error_in(answer)
    cause = cause_of(status, f"{said.type} {said.code}", said.message)
    if cause and cause is not Cause.SIZE:
        kind = RefusalKind.STOP  # whatever the status: a limit set by the user comes as a 400
    elif "unexpected end of data" in said.message:
        kind = RefusalKind.RESEND
    told = " ".join(said.message.split())[:_LONGEST_MESSAGE]
    name = said.code or said.type
    name = name if _NAME.fullmatch(name) else f"http_{status}"
    seconds = parse_retry_after(answer.headers.get("retry-after", ""), utc_now())
    return Refused(kind, status, name, told, seconds, cause)
