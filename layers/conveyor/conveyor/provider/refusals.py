"""Refusals: responses that prove that a create call created nothing."""

import re
from collections.abc import Mapping

from conveyor.domain.invocation import utc_now
from conveyor.domain.refusal import Cause, RefusalKind, cause_of
from conveyor.provider.error_body import ErrorBody, parse_error
from conveyor.provider.protocol import Checked, CheckedKind, Refused, Trouble
from conveyor.provider.retry_after import parse_retry_after
from conveyor.provider.transport import HttpResponse, Transport

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
_TIMEOUT, _BUSY, _SERVER_ERROR = 408, 429, 500
_NAME = re.compile(r"[a-z0-9_]{1,60}")


def error_in(answer: HttpResponse) -> ErrorBody:
    """Read the error of a response. A 413 comes from a proxy in front of the API, as plain text or HTML perhaps."""
    error = parse_error(answer.body)
    if error is not None and any(error):
        return error
    text = "" if error is not None else answer.body.decode(errors="replace").strip()
    message = text if text and not text.startswith("<") else f"the provider answered HTTP {answer.status}"
    return ErrorBody(f"http_{answer.status}", "", message)


def refused_from(answer: HttpResponse, certain: Mapping[int, RefusalKind]) -> Refused | None:
    """Return the refusal that a response to a create call proves, or None if it proves nothing.

    `certain`: what follows from each status that proves it.
    """
    status, kind = answer.status, certain.get(answer.status)
    if kind is None:
        return None
    error = error_in(answer)
    cause = cause_of(status, f"{error.type} {error.code}", error.message)
    if cause and cause is not Cause.SIZE:
        kind = RefusalKind.STOP  # whatever the status: a limit set by the user comes as a 400
    elif "unexpected end of data" in error.message:
        kind = RefusalKind.RESEND
    message = " ".join(error.message.split())[:_LONGEST_MESSAGE]
    name = error.code or error.type
    name = name if _NAME.fullmatch(name) else f"http_{status}"
    seconds = parse_retry_after(answer.headers.get("retry-after", ""), utc_now())
    return Refused(kind, status, name, message, seconds, cause)


def check_list(transport: Transport, path: str) -> Checked | Trouble:
    """Ask for one element of a list, and return what the response says. Nothing of its text is kept."""
    answer = transport.try_out(path, {"limit": 1})
    if isinstance(answer, Trouble):
        return answer
    if answer.is_success:
        return Checked(CheckedKind.ACCEPTED, answer.status)
    error = error_in(answer)
    cause = cause_of(answer.status, f"{error.type} {error.code}", error.message)
    may_pass = answer.status in {_TIMEOUT, _BUSY} or answer.status >= _SERVER_ERROR
    kind = CheckedKind.BUSY if may_pass and not cause else CheckedKind.REFUSED
    return Checked(kind, answer.status, cause)
