"""The usual calls to S3 in memory, answered as they are made: no request is written and read again, and no response.

`tests/functions/aws/test_at_once.py` holds these answers equal to those that are sent. All other calls are sent: those
that fail in a rare way, too, and those at whose events somebody listens.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, Any

from botocore.response import StreamingBody

from tests.support.memory_aws.answers import Body, Refused
from tests.support.memory_aws.s3 import PAGE, byte_range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.memory_aws.bucket import BucketInMemory, Version
    from tests.support.memory_aws.s3 import S3

type Json = dict[str, Any]

_EVENTS = (
    "provide-client-params", "before-parameter-build", "before-endpoint-resolution", "before-call", "before-send",
    "after-call",
)  # fmt: skip
"""The events of a call at which tests listen."""
_EVENT_OF_ERROR = "before-parse"
"""One more, where the usual answer is an error: tests make other errors of it."""
_USUAL_ERRORS = frozenset({"NoSuchKey", "PreconditionFailed"})


class AtOnce:
    """The calls of a client of one S3 in memory, by the name of the operation: what the client's methods call."""

    def __init__(self, s3: S3, client: Any) -> None:
        """Take the place of the way in which the client sends its calls."""
        self._s3, self._send = s3, client._make_api_call  # noqa: SLF001 - all methods of a client call it
        self._error_class = client.exceptions.from_code
        self._emitter = client.meta.events._emitter  # noqa: SLF001 - the only way to see who listens
        self._own = self._listeners()
        self._registered: object = None
        self._heard: set[tuple[str, str]] = set()

    def __call__(self, name: str, asked: Json) -> Json:
        """Answer a call, or send it."""
        return self._answer(name, asked) or self._send(name, asked)

    def _answer(self, name: str, asked: Json) -> Json | None:
        known, answer = _ANSWERS.get(name, (frozenset(), None))
        if answer is None or not asked.keys() <= known or self._is_heard(name, *_EVENTS) or not _is_plain(asked):
            return None
        try:
            with self._s3.one_at_a_time:
                found = answer(self._s3.buckets[asked["Bucket"]], asked)
        except KeyError:
            return None
        except Refused as refused:
            if refused.code not in _USUAL_ERRORS or name == "HeadObject" or self._is_heard(name, _EVENT_OF_ERROR):
                return None
            told = {"Error": refused.details, "ResponseMetadata": _about(refused.status) | {"HTTPHeaders": {}}}
            raise self._error_class(refused.code)(told, name) from None
        return found and found | {"ResponseMetadata": _about(206 if "ContentRange" in found else 200)}

    def _is_heard(self, name: str, *events: str) -> bool:
        """Return whether somebody but botocore listens to events of a call; found out again after that has changed."""
        registered = self._emitter._lookup_cache  # noqa: SLF001 - another one after each change
        if self._registered is not registered:
            self._heard = {event for event, who in self._listeners().items() if who != self._own[event]}
            self._registered = registered
        return bool(self._heard) and any((event, name) in self._heard for event in events)

    def _listeners(self) -> dict[tuple[str, str], list[Any]]:
        search = self._emitter._handlers.prefix_search  # noqa: SLF001
        events = product((*_EVENTS, _EVENT_OF_ERROR), _ANSWERS)
        return {(event, name): list(search(f"{event}.s3.{name}")) for event, name in events}


def _about(status: int) -> Json:
    return {"HTTPStatusCode": status, "RetryAttempts": 0}


def _is_plain(asked: Mapping[str, Any]) -> bool:
    """Return whether botocore sends the parameters unchanged: it refuses other types, and an empty key."""
    texts = (value for name, value in asked.items() if name not in {"Body", "Metadata", "Tagging"})
    return (
        all(map(_is_text, texts))
        and asked.get("Key") != ""
        and type(asked.get("Body", b"")) is bytes
        and _is_plain_metadata(asked.get("Metadata", {}))
        and ("Tagging" not in asked or _is_plain_tagging(asked["Tagging"]))
    )


def _is_text(value: Any) -> bool:
    return type(value) is str and value.isprintable()


def _is_plain_metadata(metadata: Any) -> bool:
    return type(metadata) is dict and all(
        _is_text(text) and text.isascii() and text == text.strip() for text in chain.from_iterable(metadata.items())
    )


def _is_plain_tagging(tagging: Any) -> bool:
    tags = tagging.get("TagSet") if type(tagging) is dict and len(tagging) == 1 else None
    return type(tags) is list and all(
        type(tag) is dict and tag.keys() == {"Key", "Value"} and all(map(_is_text, tag.values())) and tag["Key"] != ""
        for tag in tags
    )


def _get(bucket: BucketInMemory, asked: Json) -> Json:
    data, about = _find(bucket, asked).data, _head(bucket, asked)
    if "Range" in asked:
        start, end = byte_range(asked["Range"], len(data))
        about |= {"ContentRange": f"bytes {start}-{end - 1}/{len(data)}", "ContentLength": end - start}
        data = data[start:end]
    return about | {"Body": StreamingBody(Body(data), len(data))}


def _head(bucket: BucketInMemory, asked: Json) -> Json:
    found = _find(bucket, asked)
    return {
        "AcceptRanges": "bytes",
        "LastModified": found.modified,
        "ContentLength": len(found.data),
        "ETag": found.etag,
        "VersionId": found.id,
        "Metadata": dict(found.metadata),
    }


def _find(bucket: BucketInMemory, asked: Json) -> Version:
    return bucket.find(asked["Key"], asked.get("VersionId"))


def _put(bucket: BucketInMemory, asked: Json) -> Json | None:
    if asked.get("IfNoneMatch", "*") != "*":
        return None
    metadata = {name.lower(): value for name, value in asked.get("Metadata", {}).items()}
    made = bucket.put(asked["Key"], asked["Body"], metadata, if_absent="IfNoneMatch" in asked)
    return {"ETag": made.etag, "VersionId": made.id}


def _tag(bucket: BucketInMemory, asked: Json) -> Json:
    found = _find(bucket, asked)
    found.tags = {tag["Key"]: tag["Value"] for tag in asked["Tagging"]["TagSet"]}
    return {"VersionId": found.id}


def _list(bucket: BucketInMemory, asked: Json) -> Json | None:
    prefix, after = asked.get("Prefix", ""), asked.get("StartAfter", "")
    keys = [key for key in bucket.keys(prefix) if key > after]
    if len(keys) > PAGE:
        return None
    versions = ((key, bucket.find(key, None)) for key in keys)
    shown = [
        {"Key": key, "LastModified": version.modified, "ETag": version.etag, "Size": len(version.data)}
        for key, version in versions
    ]
    about = {"IsTruncated": False, "Prefix": prefix, "EncodingType": "url", "KeyCount": len(keys)}
    return about | ({"Contents": shown} if shown else {})


_OBJECT = frozenset({"Bucket", "Key", "VersionId"})
_WRITTEN = frozenset({"Bucket", "Key", "Body", "IfNoneMatch", "Metadata", "ContentType", "ContentDisposition"})
_LISTED = frozenset({"Bucket", "Prefix", "StartAfter"})

_ANSWERS: dict[str, tuple[frozenset[str], Callable[[BucketInMemory, Json], Json | None]]] = {
    "GetObject": (_OBJECT | {"Range"}, _get),
    "HeadObject": (_OBJECT, _head),
    "PutObject": (_WRITTEN, _put),
    "PutObjectTagging": (frozenset({"Bucket", "Key", "Tagging"}), _tag),
    "ListObjectsV2": (_LISTED, _list),
}
"""The parameters of usual calls, each a text but for `Body`, `Metadata` and `Tagging`, and what answers them."""
