"""The usual calls to S3 in memory, answered before they are sent, so that no response is written and read again.

botocore lets a listener of `before-call` give the response. `tests/functions/aws/test_at_once.py` holds these responses
equal to those that are sent. All other calls are sent: those that fail, too, and those whose request somebody changes.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from botocore.response import StreamingBody

from tests.support.memory_aws.answers import Body, Refused
from tests.support.memory_aws.s3 import PAGE, byte_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import OperationModel

    from tests.support.memory_aws.bucket import BucketInMemory, Version
    from tests.support.memory_aws.s3 import S3

type Json = dict[str, Any]

_PLAIN = frozenset({"user-agent", "range", "if-none-match", "expect", "content-type", "content-disposition"})
_META = "x-amz-meta-"
_CHECKSUM = ("x-amz-checksum-", "x-amz-sdk-checksum-")
"""The headers of usual calls: what is here changes the answer, or S3 in memory takes no notice of it."""


class _Sent(NamedTuple):
    """Stands for a response that came from the network."""

    status_code: int = 200


class AtOnce:
    """A listener of `before-call` that answers calls to one S3 in memory."""

    def __init__(self, s3: S3, url: str, events: Any) -> None:
        """Answer what is sent to `url`. `events`: the listeners of the client, by event."""
        self._s3, self._url, self._events = s3, f"{url}/", events

    def __call__(self, model: OperationModel, params: Json, context: Json, **_: Any) -> tuple[_Sent, Json] | None:
        """Return the response to a call; None to one that has to be sent."""
        answer = _ANSWERS.get(model.name)
        if answer is None or not params["url"].startswith(self._url) or not _is_plain(params["headers"]):
            return None
        if self._events.prefix_search(f"before-send.s3.{model.name}"):
            return None
        name, _, key = params["url"].partition("?")[0].removeprefix(self._url).partition("/")
        with self._s3.one_at_a_time:
            try:
                found = answer(self._s3.buckets[unquote(name)], unquote(key), params)
            except (Refused, KeyError):
                return None
        if found is None:
            return None
        context.pop("encoding_type_auto_set", None)  # keys are not encoded here
        return _Sent(), found | {"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}


def _is_plain(headers: Json) -> bool:
    names = map(str.lower, headers)
    return all(name in _PLAIN or name.startswith((_META, *_CHECKSUM)) for name in names)


def _get(bucket: BucketInMemory, key: str, params: Json) -> Json | None:
    about = _head(bucket, key, params)
    if about is None:
        return None
    data = _find(bucket, key, params).data
    if "Range" in params["headers"]:
        start, end = byte_range(params["headers"]["Range"], len(data))
        about |= {"ContentRange": f"bytes {start}-{end - 1}/{len(data)}", "ContentLength": end - start}
        data = data[start:end]
    return about | {"Body": StreamingBody(Body(data), len(data))}


def _head(bucket: BucketInMemory, key: str, params: Json) -> Json | None:
    if not params["query_string"].keys() <= {"versionId"} or not key:
        return None
    found = _find(bucket, key, params)
    return {
        "AcceptRanges": "bytes",
        "LastModified": found.modified,
        "ContentLength": len(found.data),
        "ETag": found.etag,
        "VersionId": found.id,
        "Metadata": dict(found.metadata),
    }


def _find(bucket: BucketInMemory, key: str, params: Json) -> Version:
    return bucket.find(key, params["query_string"].get("versionId"))


def _put(bucket: BucketInMemory, key: str, params: Json) -> Json | None:
    headers, body = params["headers"], params["body"]
    if params["query_string"] or type(body) is not BytesIO or headers.get("If-None-Match", "*") != "*":
        return None
    named = ((name.lower().removeprefix(_META), headers[name]) for name in headers if name.lower().startswith(_META))
    made = bucket.put(key, body.getvalue(), dict(named), if_absent="If-None-Match" in headers)
    return {"ETag": made.etag, "VersionId": made.id}


def _list(bucket: BucketInMemory, _: str, params: Json) -> Json | None:
    asked = params["query_string"]
    if not asked.keys() <= {"prefix", "encoding-type", "start-after"}:
        return None
    prefix, after = asked.get("prefix", ""), asked.get("start-after", "")
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


_ANSWERS: dict[str, Callable[[BucketInMemory, str, Json], Json | None]] = {
    "GetObject": _get,
    "HeadObject": _head,
    "PutObject": _put,
    "ListObjectsV2": _list,
}
