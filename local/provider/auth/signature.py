"""AWS's signature, version 4, recomputed from a call as it arrived. It is written from AWS's own description.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html: nothing here is botocore's,
with which callers sign, or MiniStack's, with which the local AWS checks.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "AWS4-HMAC-SHA256"
TOLERANCE = timedelta(minutes=5)  # between the moment of signing and the clock of who checks
_FIELDS = re.compile(
    rf"{ALGORITHM} Credential="
    r"(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<names>[^,\s]+),\s*Signature=(?P<value>[0-9a-f]{64})"
)
_MOMENT = "%Y%m%dT%H%M%SZ"


class Signature(NamedTuple):
    """What an `authorization` header says."""

    key: str
    """The access key: its id, that is."""
    day: str
    region: str
    service: str
    names: str
    """Names of the signed headers."""
    value: str

    @classmethod
    def read(cls, authorization: str) -> Self | None:
        """Take a header apart; None where it is no whole signature."""
        found = _FIELDS.fullmatch(authorization.strip())
        return cls(**found.groupdict()) if found else None


class SignedCall(NamedTuple):
    """A call as it arrived."""

    method: str
    path: str
    """As it was sent, still encoded."""
    query: str
    headers: Mapping[str, str]
    """By name in lower case."""
    body_sha256: str


def unsigned_headers(headers: Mapping[str, str], signature: Signature) -> list[str]:
    """Name the headers that have to be signed and are not: the host, and all that are AWS's own."""
    needed = {"host", "x-amz-date", *(name for name in headers if name.startswith("x-amz-"))}
    return sorted(needed - set(signature.names.split(";")))


def is_expected(call: SignedCall, signature: Signature, secret: str) -> bool:
    """Tell whether whoever signed a call knows the secret, and nothing of the call was changed since."""
    scope = f"{signature.day}/{signature.region}/{signature.service}/aws4_request"
    digest = sha256(_canonical(call, signature).encode()).hexdigest()
    words = "\n".join([ALGORITHM, call.headers.get("x-amz-date", ""), scope, digest])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _keyed(key, part)
    return hmac.compare_digest(_keyed(key, words).hex(), signature.value)


def is_timely(call: SignedCall, signature: Signature, now: datetime | None = None) -> bool:
    """Tell whether a call was signed just now, and on the day it says."""
    date = call.headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(date, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return False
    return date.startswith(signature.day) and abs((now or datetime.now(UTC)) - signed_at) <= TOLERANCE


def _canonical(call: SignedCall, signature: Signature) -> str:
    """Write a call in the one form that both sides sign. The path is encoded once more, as for all services but S3."""
    asked = parse_qsl(call.query, keep_blank_values=True)
    query = "&".join(f"{name}={value}" for name, value in sorted((_encoded(name), _encoded(of)) for name, of in asked))
    headers = [f"{name}:{' '.join(call.headers.get(name, '').split())}" for name in signature.names.split(";")]
    path = quote(call.path, safe="/-_.~")
    return "\n".join([call.method, path, query, *headers, "", signature.names, call.body_sha256])


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
