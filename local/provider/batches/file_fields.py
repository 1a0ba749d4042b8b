"""The fields that only a batch created from a file has."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

type ResultFileKind = Literal["output", "error"]
"""The two files of results a batch ends in."""
type LineForm = Literal["params", "body"]
"""What a line of an input file calls the body of its request."""


class LineFault(Struct, frozen=True):
    """Why a batch fails validation; `line` counts from 1, None is the whole file."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


def new_file_id() -> str:
    """Return a new random file id."""
    return f"file-{secrets.token_hex(12)}"


@dataclass(slots=True, kw_only=True)
class FileFields:
    """What a batch was created from, and the ids of its result files."""

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None
    form: LineForm
    model: str | None
    """The model of all lines; None if they differ."""
    faults: list[LineFault]
    file_ids: dict[ResultFileKind, str] = field(
        default_factory=lambda: {"output": new_file_id(), "error": new_file_id()}
    )
