"""What S3 answers where the bytes of a drop cannot be had: which answers stay so, and in which words a person is told.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from conveyor.jsonl.gzip_stream import Unreadable

GONE = "drop-gone"
"""The version does not exist any more; every other code may be mended by a person."""
CANNOT = "the drop cannot be read: "
"""Every message begins so."""

_PASSING_STATUS = frozenset({408, 409, 425, 429})
_PASSING = frozenset({
    "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "NoSuchBucket",
    "OperationAborted", "RequestTimeTooSkewed", "RequestTimeout", "SignatureDoesNotMatch", "SlowDown", "Throttling",
    "TokenRefreshRequired", "TooManyRequests",
})  # fmt: skip
"""Errors with a status of 4xx that are about the request, its credentials, its time or the bucket, not the object."""
_PASSING_OF_KEYS = ("Throttl", "Internal", "Timeout", "Unavailable")
_OF_S3 = "not authorized to perform: s3:"
"""S3 says so where a policy, not the object, is what denies; and of one that is not there to those who may not list."""
_TO_LIST = f"{_OF_S3}ListBucket"
_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})


class DropUnreadable(Unreadable):
    """The bytes of a drop cannot be had, however often S3 is asked. `code` tells why, the message what to do."""

    @property
    def is_gone(self) -> bool:
        """True where nothing a person does brings them back."""
        return self.code == GONE


def unreadable(status: int, code: str, told: str) -> DropUnreadable | None:
    """Return what an error of a read says about the object; None where the same read may succeed later.

    `code`, `told`: S3's own; the latter can hold names of roles and keys, and goes nowhere.
    """
    if not 400 <= status < 500 or status in _PASSING_STATUS or code in _PASSING:  # noqa: PLR2004
        return None
    if any(word in code for word in _PASSING_OF_KEYS):
        return None
    if _OF_S3 in told and _TO_LIST not in told and "explicit deny" not in told:
        return None  # the function's own role lacks a permission: no drop can be read until that is mended
    kind, words = _kind(status, code, told)
    return DropUnreadable(kind, CANNOT + words)


def _kind(status: int, code: str, told: str) -> tuple[str, str]:
    if code in _ABSENT or status == 404 or _TO_LIST in told:  # noqa: PLR2004
        return GONE, "this version of the object was deleted; keep a file under inbox/ until its run has ended"
    if code == "InvalidObjectState":
        return "drop-archived", (
            "its storage class is an archive (HTTP 403 InvalidObjectState): "
            "restore the object, or upload the file with the storage class STANDARD"
        )
    if code.startswith("KMS.") or "kms:" in told:
        return "drop-key-refused", (
            f"S3 may not use the KMS key it is encrypted with (HTTP {status} {code}): enable the key and allow the "
            "roles of the stack's functions kms:Decrypt, or upload the file with the bucket's own encryption"
        )
    if "Server Side Encryption" in told:
        return "drop-encrypted", (
            f"it is encrypted with a key that only you have (SSE-C, HTTP {status} {code}): "
            "upload the file without that key"
        )
    if status == 403:  # noqa: PLR2004
        return "drop-denied", (
            f"S3 denies the stack's function access to it (HTTP 403 {code}): this version was deleted, or a bucket "
            "policy or a key's policy denies s3:GetObjectVersion or kms:Decrypt"
        )
    return "drop-unreadable", f"S3 answers HTTP {status} {code}: see whether you can read this version yourself"
