"""The body of a create call: it is read into the requests of a batch, or refused as a whole."""

from __future__ import annotations

import codecs
import mmap
import re
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from msgspec import Raw, Struct

from local.provider.decode_errors import describe_error
from local.provider.errors import ApiError
from local.provider.messages.read_request import Terms, read_request

if TYPE_CHECKING:
    from local.provider.batches.request import BatchRequest

MAX_CUSTOM_ID = 64
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
NOT_JSON = "The request body is not valid JSON: "
CUT_SHORT = "unexpected end of data"
_MIB = 1 << 20


class Item(Struct, forbid_unknown_fields=True):
    """One request; the params stay bytes."""

    custom_id: str
    params: Raw


class CreateBody(Struct, forbid_unknown_fields=True):
    """The body."""

    requests: list[Item]


def read_create_body(body: BinaryIO, terms: Terms, *, max_requests: int) -> list[BatchRequest]:
    """Read a body from a file; raises `ApiError` 400.

    The file is mapped, not loaded: memory holds the items only, about 300 bytes each.
    """
    if body.seek(0, 2) == 0:
        raise ApiError(400, NOT_JSON + CUT_SHORT)
    mapped = mmap.mmap(body.fileno(), 0, access=mmap.ACCESS_READ)  # closed with the last item that refers to it
    _check_utf8(mapped)
    items = _decode(mapped).requests
    _check_size(len(items), max_requests)
    seen: set[str] = set()
    for index, item in enumerate(items):
        _check_item(index, item, seen)
    return [read_request(item.custom_id, item.params, terms) for item in items]


def _decode(mapped: mmap.mmap) -> CreateBody:
    try:
        return msgspec.json.decode(mapped, type=CreateBody)
    except msgspec.ValidationError as error:
        raise ApiError(400, describe_error(error)) from None
    except msgspec.DecodeError as error:
        truncated = "truncated" in str(error)
        raise ApiError(400, NOT_JSON + (CUT_SHORT if truncated else str(error))) from None


def _check_utf8(mapped: mmap.mmap) -> None:
    """Check the strings inside raw params, which the decoder skips."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(mapped), _MIB):
            decoder.decode(mapped[start : start + _MIB])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise ApiError(400, f"{NOT_JSON}invalid UTF-8: {error.reason}") from None


def _check_size(total: int, max_requests: int) -> None:
    if total == 0:
        raise ApiError(400, "requests: List should have at least 1 item after validation, not 0")
    if total > max_requests:
        message = f"requests: List should have at most {max_requests} items after validation, not {total}"
        raise ApiError(400, message)


def _check_item(index: int, item: Item, seen: set[str]) -> None:
    path, custom_id = f"requests.{index}.custom_id", item.custom_id
    if len(custom_id) > MAX_CUSTOM_ID:
        raise ApiError(400, f"{path}: String should have at most {MAX_CUSTOM_ID} characters")
    if not CUSTOM_ID.fullmatch(custom_id):
        raise ApiError(400, f"{path}: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if custom_id in seen:
        raise ApiError(400, f"{path}: custom_id must be unique within a batch, '{custom_id}' is not")
    if bytes(memoryview(item.params)[:1]) != b"{":
        raise ApiError(400, f"requests.{index}.params: Input should be a valid dictionary")
    seen.add(custom_id)
