"""`aws s3 cp`, `ls` and `sync` as in AWS CLI v2, with the permissions that AWS documents for them."""

from __future__ import annotations

import mimetypes
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from boto3.s3.transfer import TransferConfig

from tests.support.shell.words import Misuse, from_json, options, pairs, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PART = 8 * 1024 * 1024
"""Object size in bytes from which multipart is used, and the part size."""
KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata")
"""Properties that a multipart copy has to be given."""
VERSION = re.compile(r"\?versionId=[^\s]+$")


class Place(NamedTuple):
    """An object, or all objects under a prefix."""

    bucket: str
    key: str


class Transfer:
    """One command."""

    def __init__(self, client: Any, folder: Path, stdin: bytes, needed: set[tuple[str, str]]) -> None:
        """Add the permissions it needs to `needed`."""
        self._client = client
        self._folder = folder
        self._stdin = stdin
        self._needed = needed

    def run(self, command: str, words: list[str]) -> bytes:
        """Run the command, and return its output."""
        recursive = "--recursive" in words
        given, (source, *target) = _options([word for word in words if word != "--recursive"])
        match command, _place(source), [_place(each) for each in target]:
            case "ls", Place() as place, [] if not given:
                return self._list(place)
            case "sync" | "cp", Place() as place, [None] if not given and (recursive or command == "sync"):
                return self._fetch(place, target[0])
            case "cp", Place() as place, [None] if not given and target == ["-"]:
                return self._get(place)
            case "cp", Place() as place, [None] if not given and target == [place.key.rpartition("/")[2]]:
                return self._download(place, target[0])
            case "cp", Place() as place, [Place() as to] if not recursive:
                return self._copy(place, _named(to, place.key), given)
            case "cp", None, [Place() as to] if not recursive:
                return self._upload(source, _named(to, source), given)
            case _:
                raise Misuse(f"s3 {command} is not used so: {words}")

    def _upload(self, source: str, to: Place, given: dict[str, str]) -> bytes:
        extra: dict[str, Any] = {"Metadata": _metadata(given.pop("metadata"))} if "metadata" in given else {}
        if given:
            raise Misuse(f"options of a copy: {given}")
        self._needed.add(("s3:PutObject", to.key))
        if source == "-":
            self._client.upload_fileobj(BytesIO(self._stdin), *to, ExtraArgs=extra, Config=_config())
            return b""
        path = self._folder / source
        if not path.is_file():
            raise Misuse(f"The user-provided path {source} does not exist.")
        if (kind := mimetypes.guess_type(source)[0]) is not None:
            extra["ContentType"] = kind
        self._client.upload_file(str(path), *to, ExtraArgs=extra, Config=_config())
        return f"upload: {source} to s3://{to.bucket}/{to.key}\n".encode()

    def _copy(self, source: Place, to: Place, given: dict[str, str]) -> bytes:
        """Copy with the properties that `--copy-props` selects; in a multipart copy the CLI itself sends them."""
        props = given.pop("copy-props", "default")
        if given or props not in ("default", "metadata-directive"):
            raise Misuse(f"a form of copy that is not used: {given} {props}")
        self._needed |= {("s3:GetObject", source.key), ("s3:PutObject", to.key)}
        about = self._client.head_object(Bucket=source.bucket, Key=source.key)
        extra: dict[str, Any] = {} if props == "default" else {"TaggingDirective": "REPLACE"}
        if about["ContentLength"] >= PART:
            extra |= {name: about[name] for name in KEPT if name in about}
        if props == "default":
            self._needed |= {("s3:GetObjectTagging", source.key)}
            if about["ContentLength"] >= PART:
                self._client.get_object_tagging(Bucket=source.bucket, Key=source.key)
        self._client.copy({"Bucket": source.bucket, "Key": source.key}, *to, ExtraArgs=extra, Config=_config())
        return f"copy: s3://{source.bucket}/{source.key} to s3://{to.bucket}/{to.key}\n".encode()

    def _get(self, place: Place) -> bytes:
        self._needed.add(("s3:GetObject", place.key))
        content: bytes = self._client.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        return content

    def _download(self, place: Place, name: str) -> bytes:
        (self._folder / name).write_bytes(self._get(place))
        return b""

    def _fetch(self, place: Place, target: str) -> bytes:
        for item in self._items(place):
            path = self._folder / target / item["Key"].removeprefix(place.key).lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._get(Place(place.bucket, item["Key"])))
        return b""

    def _list(self, place: Place) -> bytes:
        lines = (
            f"{item['LastModified']:%Y-%m-%d %H:%M:%S} {item['Size']:>10} {item['Key']}\n"
            for item in self._items(place)
        )
        return "".join(lines).encode()

    def _items(self, place: Place) -> Iterator[dict[str, Any]]:
        self._needed.add(("s3:ListBucket", place.key))
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
        return (item for page in pages for item in page.get("Contents", []))


def needs(service: str, operation: str, asked: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the permissions an operation needs, as AWS documents them."""
    about = str(asked.get("Key") or asked.get("SecretId") or "")
    match service, operation:
        case "s3api", "CopyObject":
            named = VERSION.search(asked["CopySource"])
            source = asked["CopySource"][: named.start() if named else None].partition("/")[2]
            version = "Version" if named else ""
            tags = {(f"s3:GetObject{version}Tagging", source), ("s3:PutObjectTagging", about)}
            return {(f"s3:GetObject{version}", source), ("s3:PutObject", about)} | (
                set() if asked.get("TaggingDirective") == "REPLACE" else tags
            )
        case "s3api", _:
            return {(f"s3:{operation}", about)}
        case _:
            return {(f"{ACTIONS.get(service, service)}:{operation}", about)}


ACTIONS = {"stepfunctions": "states"}
"""Services whose IAM actions have another prefix."""


def _options(words: list[str]) -> tuple[dict[str, str], list[str]]:
    given, rest = options(words)
    if not rest or given.keys() - {"metadata", "copy-props"}:
        raise Misuse(f"s3: {words}")
    return given, rest


def _place(word: str) -> Place | None:
    if not word.startswith("s3://"):
        return None
    bucket, _, key = word.removeprefix("s3://").partition("/")
    return Place(bucket, key)


def _named(place: Place, source: str) -> Place:
    """Add the source's name to a target that ends in a slash."""
    return (
        Place(place.bucket, place.key + source.rpartition("/")[2])
        if not place.key or place.key.endswith("/")
        else place
    )


def _metadata(text: str) -> dict[str, Any]:
    return texts(from_json(text) if text.strip().startswith("{") else pairs(text))


def _config() -> TransferConfig:
    return TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
