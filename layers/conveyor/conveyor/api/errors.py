"""The provider's refusals: what follows from an answer that proves that nothing was created."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil, isfinite
from typing import NamedTuple

import httpx
import msgspec

from conveyor.api import Refused
from conveyor.api.door import Answer
from conveyor.records import RefusalKind

_LONGEST_RETRY_AFTER = 86_400
_LONGEST_MESSAGE = 300
_NAME = re.compile(r"[a-z0-9_]{1,60}")
_SPEND_LIMITS = frozenset({
    "enforced_spend_limit_reached", "contract_spend_limit_reached", "insufficient_quota", "billing_hard_limit_reached"
})  # fmt: skip


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    type: str | None = ""
    message: str | None = ""
    details: _Details | None = None
    code: str | int | None = None
    param: str | None = None


class _Body(msgspec.Struct):
    error: _Error


class Fault(NamedTuple):
    """What an error's body says, in the words of either dialect."""

    type: str
    message: str
    code: str | None
    param: str | None


def fault_of(answer: Answer) -> Fault:
    """Read an error. A 413 comes from before the API, and its body may be anything."""
    try:
        error = msgspec.json.decode(answer.text, type=_Body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = f"the provider answered HTTP {answer.status}"
        return Fault(f"http_{answer.status}", told, None, None)
    code = error.details.error_code if error.details else error.code
    return Fault(error.type or "", error.message or "", str(code) if code else None, error.param)


def refused_from(answer: Answer, sure: Mapping[int, RefusalKind]) -> Refused | None:
    """Return the refusal an answer to a create call is, or None where it proves nothing.

    `sure`: what follows from each status that proves it.
    """
    status, kind = answer.status, sure.get(answer.status)
    if kind is None:
        return None
    error = fault_of(answer)
    code = error.code
    if code in _SPEND_LIMITS or (status == httpx.codes.BAD_REQUEST and "usage limits" in error.message):
        kind = RefusalKind.STOP  # a limit set by the user comes as a 400 that only its message tells apart
    elif "unexpected end of data" in error.message:
        kind = RefusalKind.RESEND
    told = " ".join(error.message.split())[:_LONGEST_MESSAGE]
    name = code or error.type
    name = name if _NAME.fullmatch(name) else f"http_{status}"
    return Refused(kind, status, name, told, _retry_after(answer.headers.get("retry-after", "")))


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
