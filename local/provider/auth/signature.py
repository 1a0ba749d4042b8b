"""AWS Signature Version 4, recomputed from a call as it arrived.

Written from https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, and independent
of botocore, with which callers sign, and of MiniStack, with which the local AWS checks.
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
TOLERANCE = timedelta(minutes=5)  # between the moment of signing and our clock
_FIELDS = re.compile(
    rf"{ALGORITHM} Credential="
    r"(?P<access_key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<names>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"


class Signature(NamedTuple):
    """The fields of an `authorization` header."""

    access_key: str
    """The id of the access key."""
    day: str
    region: str
    service: str
    names: str
    """The names of the signed headers, separated by semicolons."""
    signature: str

    @classmethod
    def parse(cls, authorization: str) -> Self | None:
        """Parse a header; None if a field is missing."""
        match = _FIELDS.fullmatch(authorization.strip())
        return cls(**match.groupdict()) if match else None


class SignedCall(NamedTuple):
    """A call as it arrived."""

    method: str
    path: str
    """As sent, still percent-encoded."""
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body_sha256: str


def unsigned_headers(headers: Mapping[str, str], signature: Signature) -> list[str]:
    """Return the headers that must be signed and are not: of the host, and all that start with `x-amz-`."""
    needed = {"host", "x-amz-date", *(name for name in headers if name.startswith("x-amz-"))}
    return sorted(needed - set(signature.names.split(";")))


def is_valid(call: SignedCall, signature: Signature, secret: str) -> bool:
    """Return whether a call was signed with the secret, and not changed since."""
    scope = f"{signature.day}/{signature.region}/{signature.service}/aws4_request"
    digest = sha256(_canonical(call, signature).encode()).hexdigest()
    text = "\n".join([ALGORITHM, call.headers.get("x-amz-date", ""), scope, digest])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return hmac.compare_digest(_hmac(key, text).hex(), signature.signature)


def is_recent(call: SignedCall, signature: Signature, now: datetime | None = None) -> bool:
    """Return whether a call was signed within the tolerance, and on the day in its header."""
    date = call.headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(date, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return False
    return date.startswith(signature.day) and abs((now or datetime.now(UTC)) - signed_at) <= TOLERANCE


def _canonical(call: SignedCall, signature: Signature) -> str:
    """Return the canonical request. The path is encoded a second time, as for all services but S3."""
    pairs = [(_encoded(name), _encoded(value)) for name, value in parse_qsl(call.query, keep_blank_values=True)]
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    headers = [f"{name}:{' '.join(call.headers.get(name, '').split())}" for name in signature.names.split(";")]
    path = quote(call.path, safe="/-_.~")
    return "\n".join([call.method, path, query, *headers, "", signature.names, call.body_sha256])


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
