"""The provider's refusals: which answers prove that nothing was created, and what follows from each.

Everything that is not listed here proves nothing: 404, 408, 409 and all of 5xx included.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil, isfinite

import httpx
import msgspec

from conveyor.api import Refused
from conveyor.records import RefusalKind

_LONGEST_RETRY_AFTER = 86_400
_LONGEST_MESSAGE = 300
_NAME = re.compile(r"[a-z0-9_]{1,60}")
_SPEND_LIMITS = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})
_KINDS = {
    400: RefusalKind.DEFECT,
    401: RefusalKind.STOP,
    402: RefusalKind.STOP,
    403: RefusalKind.STOP,
    413: RefusalKind.DEFECT,
    429: RefusalKind.LATER,
}


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    type: str = ""
    message: str = ""
    details: _Details | None = None


class _Body(msgspec.Struct):
    error: _Error


def refused_from(status: int, headers: httpx.Headers, text: bytes) -> Refused | None:
    """Return the refusal an answer to a create call is, or None where it proves nothing.

    A 413 comes from before the API, and its body may be anything.
    """
    kind = _KINDS.get(status)
    if kind is None:
        return None
    try:
        error = msgspec.json.decode(text, type=_Body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        error = _Error(type=f"http_{status}", message=f"the provider answered HTTP {status}")
    code = error.details.error_code if error.details else None
    if code in _SPEND_LIMITS or (status == httpx.codes.BAD_REQUEST and "usage limits" in error.message):
        kind = RefusalKind.STOP  # a limit set by the user comes as a 400 that only its message tells apart
    elif "unexpected end of data" in error.message:
        kind = RefusalKind.RESEND
    told = " ".join(error.message.split())[:_LONGEST_MESSAGE]
    name = code or error.type
    name = name if _NAME.fullmatch(name) else f"http_{status}"
    return Refused(kind, status, name, told, _retry_after(headers.get("retry-after", "")))


def _retry_after(given: str) -> int | None:
    """Read seconds or an HTTP date; None where neither is given."""
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return ceil(min(max(seconds, 0), _LONGEST_RETRY_AFTER)) if isfinite(seconds) else None
