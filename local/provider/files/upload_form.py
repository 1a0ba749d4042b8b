"""The form of an upload: its file is kept on disk and mapped, not loaded into memory."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, BinaryIO

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from local.provider.errors import ApiError, ParamError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.datastructures import FormData, Headers

CHUNK_BYTES = 1 << 20


async def read_upload_form(headers: Headers, body: BinaryIO, max_bytes: int) -> tuple[str, mmap.mmap | bytes]:
    """Return name and content of the uploaded file; raises `ApiError` 400."""
    if not headers.get("content-type", "").startswith("multipart/form-data"):
        raise ApiError(400, "The request must be multipart/form-data.")
    try:
        form = await MultiPartParser(headers, _chunks(body)).parse()
    except MultiPartException as error:
        raise ApiError(400, f"The form could not be read: {error.message}") from None
    try:
        return _check(form, max_bytes)
    finally:
        await form.close()


def _check(form: FormData, max_bytes: int) -> tuple[str, mmap.mmap | bytes]:
    file, purpose = form.get("file"), form.get("purpose")
    if not isinstance(file, UploadFile):
        raise ParamError(400, "'file' is a required property", "file")
    if purpose != "batch":
        raise ParamError(400, f"'{purpose}' is not one of ['batch'] - 'purpose'", "purpose")
    if not (file.filename or "").endswith(".jsonl"):
        raise ParamError(400, "Invalid file format for Batch API. Must be .jsonl", "file")
    if (file.size or 0) > max_bytes:
        raise ParamError(400, "File is too large.", "file")
    return file.filename or "", _mapped(file)


def _mapped(file: UploadFile) -> mmap.mmap | bytes:
    """Map the content, which outlives the closed file; an empty file cannot be mapped."""
    if not file.size:
        return b""
    descriptor = file.file.fileno()  # moves a small file from memory to the disk
    file.file.flush()
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)


async def _chunks(body: BinaryIO) -> AsyncGenerator[bytes]:
    body.seek(0)
    while chunk := body.read(CHUNK_BYTES):
        yield chunk
