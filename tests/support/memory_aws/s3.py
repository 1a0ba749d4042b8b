"""S3's calls, as botocore sends them."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from email.utils import format_datetime
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree as ET

from tests.support.memory_aws.answers import Refused, answer, element
from tests.support.memory_aws.bucket import BucketInMemory, Parts, Version, crc, etag
from tests.support.memory_aws.versions import elements, versions_page

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

_KNOWN_QUESTIONS = {
    "continuation-token", "delete", "delimiter", "encoding-type", "key-marker", "list-type", "max-keys", "partNumber",
    "prefix", "start-after", "tagging", "uploadId", "uploads", "version-id-marker", "versionId", "versioning",
    "versions",
}  # fmt: skip
_UNKNOWN_HEADERS = {
    "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm",
}  # fmt: skip
_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_META = "x-amz-meta-"
PAGE = 1000


class Request(NamedTuple):
    """A parsed request."""

    method: str
    bucket: str
    key: str
    question: dict[str, str]
    headers: dict[str, str]
    """Header names in lower case."""
    body: bytes

    @classmethod
    def of(cls, prepared: AWSPreparedRequest) -> Request:
        """Parse a request prepared by botocore. Raises Refused if it needs a feature that is not implemented here."""
        address = urlsplit(prepared.url)
        question = dict(parse_qsl(address.query, keep_blank_values=True))
        if not question.keys() <= _KNOWN_QUESTIONS:
            raise Refused(501, "NotImplemented", Header=str(sorted(question)))
        bucket, _, key = unquote(address.path).removeprefix("/").partition("/")
        headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
        return cls(prepared.method, bucket, key, question, headers, _body(prepared.body, headers))

    @property
    def metadata(self) -> dict[str, str]:
        """The user's metadata."""
        return {name.removeprefix(_META): value for name, value in self.headers.items() if name.startswith(_META)}


class S3:
    """All buckets."""

    def __init__(self) -> None:
        """Start without buckets."""
        self.buckets: dict[str, BucketInMemory] = {}
        self.one_at_a_time = Lock()
        """Held while a request is answered."""

    def serve(self, prepared: AWSPreparedRequest) -> AWSResponse:
        """Answer a request. As in S3, each is one step for those who ask at the same time."""
        try:
            request = Request.of(prepared)
            with self.one_at_a_time:
                return self._serve(request)
        except Refused as refused:
            return answer(refused.status, b"" if prepared.method == "HEAD" else refused.body())

    def _serve(self, request: Request) -> AWSResponse:
        bucket = self.buckets.get(request.bucket)
        is_suspended = not request.key and b"Suspended" in request.body
        if is_suspended or _UNKNOWN_HEADERS & request.headers.keys():
            raise Refused(501, "NotImplemented", Header=request.key)
        if not request.key and request.method == "PUT":
            self.buckets.setdefault(request.bucket, BucketInMemory())
            return answer()
        if bucket is None:
            raise Refused(404, "NoSuchBucket", BucketName=request.bucket)
        parts = "uploads" in request.question or "uploadId" in request.question
        calls = _PARTS if parts else _OBJECTS if request.key else _BUCKET
        if request.method not in calls:
            raise Refused(501, "NotImplemented", Header=request.method)
        return calls[request.method](self, bucket, request)

    def put(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """PutObject and CopyObject."""
        if "tagging" in request.question:
            return self.tag(bucket, request)
        condition = request.headers.get("if-none-match")
        if condition not in {None, "*"}:
            raise Refused(501, "NotImplemented", Header="If-None-Match")
        if "x-amz-copy-source" not in request.headers:
            made = bucket.put(request.key, request.body, request.metadata, if_absent=condition is not None)
            return answer(headers=_written(made))
        source = self._source(request)
        is_replaced = request.headers.get("x-amz-metadata-directive") == "REPLACE"
        made = bucket.put(request.key, source.data, request.metadata if is_replaced else source.metadata)
        moment = made.modified.isoformat()
        copied = element("CopyObjectResult", {"ETag": made.etag, "LastModified": moment})
        return answer(200, copied, _written(made) | {"x-amz-copy-source-version-id": source.id})

    def tag(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """PutObjectTagging."""
        found = bucket.find(request.key, None)
        tags = ET.fromstring(request.body).iter(f"{_XML}Tag")  # noqa: S314  # botocore wrote it
        found.tags = {tag.findtext(f"{_XML}Key", ""): tag.findtext(f"{_XML}Value", "") for tag in tags}
        return answer(headers={"x-amz-version-id": found.id})

    def get(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """GetObject, GetObjectTagging and HeadObject, of the whole object or a byte range."""
        found = bucket.find(request.key, request.question.get("versionId"))
        if "tagging" in request.question:
            tags = "".join(element("Tag", {"Key": name, "Value": value}) for name, value in found.tags.items())
            return answer(200, element("Tagging", element("TagSet", tags)), {"x-amz-version-id": found.id})
        about = _written(found) | {
            "last-modified": format_datetime(found.modified, usegmt=True),
            "content-length": str(len(found.data)),
            "accept-ranges": "bytes",
            **{_META + name: value for name, value in found.metadata.items()},
        }
        if request.headers.get("if-match", found.etag) != found.etag:
            raise Refused(412, "PreconditionFailed", Condition="If-Match")
        if request.method == "HEAD":
            return answer(200, b"", about)
        if "range" not in request.headers:
            return answer(200, found.data, about)
        start, end = byte_range(request.headers["range"], len(found.data))
        about |= {"content-length": str(end - start), "content-range": f"bytes {start}-{end - 1}/{len(found.data)}"}
        return answer(206, found.data[start:end], about)

    def delete(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """DeleteObject."""
        gone = bucket.delete(request.key, request.question.get("versionId"))
        mark = {"x-amz-delete-marker": "true"} if gone.is_marker else {}
        return answer(204, headers={"x-amz-version-id": gone.id, **mark})

    def delete_several(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """DeleteObjects, of versions: errors are told for each. What does not exist any more counts as deleted."""
        asked = ET.fromstring(request.body)  # noqa: S314  # botocore wrote it
        told, is_quiet = list[str](), asked.findtext(f"{_XML}Quiet") == "true"
        objects = asked.iter(f"{_XML}Object")
        named = [(each.findtext(f"{_XML}Key", ""), each.findtext(f"{_XML}VersionId")) for each in objects]
        if "delete" not in request.question or len(named) > PAGE or not all(version for _, version in named):
            raise Refused(501, "NotImplemented", Header=str(request.question))
        for key, version in named:
            about = {"Key": key, "VersionId": str(version)}
            if key in bucket.locked:
                told.append(element("Error", about | {"Code": "AccessDenied", "Message": "protected by object lock"}))
                continue
            if any(each.id == version for each in bucket.versions.get(key, [])):
                bucket.delete(key, version)
            told += [] if is_quiet else [element("Deleted", about)]
        return answer(200, element("DeleteResult", "".join(told)))

    def list(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """ListObjectsV2 and ListObjectVersions."""
        question = request.question
        if "versions" in question:
            return answer(
                200,
                element("ListVersionsResult", versions_page(bucket, question, int(question.get("max-keys", PAGE)))),
            )
        if question.get("list-type") != "2" or question.get("encoding-type") != "url":
            raise Refused(501, "NotImplemented", Header=str(question))
        after = b64decode(question.get("continuation-token", "")).decode()
        prefix, most = question.get("prefix", ""), int(question.get("max-keys", PAGE))
        names = dict.fromkeys(_shown(key, prefix, question.get("delimiter", "")) for key in bucket.keys(prefix))
        begin = max(after, question.get("start-after", ""), key=str.encode)
        left = [name for name in names if name.encode() > begin.encode()]
        page = left[:most]
        shown = [_entry(bucket, name) for name in page]
        token = element("NextContinuationToken", b64encode(page[-1].encode()).decode()) if left[most:] else ""
        about = {"IsTruncated": "true" if token else "false", "EncodingType": "url", "KeyCount": str(len(page))}
        about |= {"Prefix": quote(prefix)}
        return answer(200, element("ListBucketResult", elements(about) + token + "".join(shown)))

    def uploads(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """ListMultipartUploads and ListParts."""
        if request.key and request.question.keys() == {"uploadId"}:
            return _listed_parts(request, bucket.upload(request.question["uploadId"], request.key))
        if request.key or request.question != {"uploads": ""}:
            raise Refused(501, "NotImplemented", Header=str(request.question))
        found = [element("Upload", {"Key": upload.key, "UploadId": name}) for name, upload in bucket.uploads.items()]
        return answer(200, element("ListMultipartUploadsResult", element("IsTruncated", "false") + "".join(found)))

    def begin(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """CreateMultipartUpload and CompleteMultipartUpload."""
        if "uploads" in request.question:
            name = bucket.begin(request.key, request.metadata)
            return answer(200, element("InitiateMultipartUploadResult", {"Key": request.key, "UploadId": name}))
        parts = [
            (
                int(part.findtext(f"{_XML}PartNumber", "")),
                part.findtext(f"{_XML}ETag", ""),
                part.findtext(f"{_XML}ChecksumCRC32"),
            )
            for part in ET.fromstring(request.body)  # noqa: S314  # botocore wrote it
        ]
        made = bucket.complete(request.question["uploadId"], request.key, parts)
        body = element("CompleteMultipartUploadResult", {"Key": request.key, "ETag": made.etag})
        return answer(200, body, _written(made))

    def part(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """UploadPart and UploadPartCopy."""
        upload = bucket.upload(request.question["uploadId"], request.key)
        number = int(request.question["partNumber"])
        if "x-amz-copy-source" not in request.headers:
            upload.data[number] = request.body
            return answer(headers={"etag": etag(request.body), "x-amz-checksum-crc32": crc(request.body)})
        source = self._source(request)
        start, end = byte_range(request.headers["x-amz-copy-source-range"], len(source.data))
        upload.data[number] = data = source.data[start:end]
        moment = datetime.now(UTC).isoformat()
        copied = element("CopyPartResult", {"ETag": etag(data), "LastModified": moment, "ChecksumCRC32": crc(data)})
        return answer(200, copied, {"x-amz-copy-source-version-id": source.id})

    def abort(self, bucket: BucketInMemory, request: Request) -> AWSResponse:
        """AbortMultipartUpload."""
        bucket.abort(request.question["uploadId"], request.key)
        return answer(204)

    def _source(self, request: Request) -> Version:
        path, _, question = request.headers["x-amz-copy-source"].partition("?")
        name, _, key = unquote(path).removeprefix("/").partition("/")
        if name not in self.buckets:
            raise Refused(404, "NoSuchBucket", BucketName=name)
        return self.buckets[name].find(key, dict(parse_qsl(question)).get("versionId"))


_BUCKET = {"GET": S3.list, "POST": S3.delete_several}
_OBJECTS = {"PUT": S3.put, "GET": S3.get, "HEAD": S3.get, "DELETE": S3.delete}
_PARTS = {"GET": S3.uploads, "POST": S3.begin, "PUT": S3.part, "DELETE": S3.abort}


def _listed_parts(request: Request, upload: Parts) -> AWSResponse:
    """Return a page of parts; more than fit into one are not implemented."""
    if len(upload.data) > PAGE:
        raise Refused(501, "NotImplemented", Header="a second page of parts")
    moment = datetime.now(UTC).isoformat()
    shown = [
        {"PartNumber": str(number), "ETag": etag(data), "Size": str(len(data)), "LastModified": moment}
        for number, data in sorted(upload.data.items())
    ]
    about = {"Bucket": request.bucket, "Key": request.key, "UploadId": request.question["uploadId"]}
    about |= {"IsTruncated": "false"}
    return answer(200, element("ListPartsResult", elements(about) + "".join(element("Part", part) for part in shown)))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _body(body: object, headers: dict[str, str]) -> bytes:
    """Return the content without the chunk framing in which botocore streams it."""
    read = getattr(body, "read", None)
    data = body.encode() if isinstance(body, str) else read() if read else bytes(body or b"")  # type: ignore[call-overload]
    if "aws-chunked" not in headers.get("content-encoding", ""):
        return bytes(data)
    content, place = b"", 0
    while size := int(data[place : data.index(b"\r\n", place)], 16):
        place = data.index(b"\r\n", place) + 2
        content += data[place : place + size]
        place += size + 2
    if len(content) != int(headers["x-amz-decoded-content-length"]):
        raise Refused(400, "IncompleteBody")
    return content


def _written(version: Version) -> dict[str, str]:
    return {"etag": version.etag, "x-amz-version-id": version.id}


def byte_range(asked: str, size: int) -> tuple[int, int]:
    """Return the start and end of a byte range. Raises Refused if it starts after the end."""
    match = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
    if match is None:
        raise Refused(501, "NotImplemented", Header=asked)
    start, end = int(match[1]), min(int(match[2]) + 1, size)
    if start >= size:
        raise Refused(416, "InvalidRange", ActualObjectSize=str(size))
    return start, end


def _shown(key: str, prefix: str, delimiter: str) -> str:
    """Return a key's entry in a listing: the key, or its common prefix up to the delimiter."""
    place = key.find(delimiter, len(prefix)) if delimiter else -1
    return key if place < 0 else key[: place + len(delimiter)]


def _entry(bucket: BucketInMemory, name: str) -> str:
    version = bucket.current(name)
    if version is None:
        return element("CommonPrefixes", {"Prefix": quote(name)})
    about = {"Key": quote(name), "ETag": version.etag, "Size": str(len(version.data))}
    return element("Contents", about | {"LastModified": version.modified.isoformat()})
