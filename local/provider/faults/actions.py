"""The hostile switches as data: which call goes wrong, how often, and in what way.

The faults of one call form a queue. The first that is not used up meets the call: it lets `after` calls pass, then
strikes `times` calls, then the next one has its turn. A call that is not let in (401, a wrong version, 413) meets no
fault. Nothing here does I/O; `exchange.py` acts the faults out.

Both dialects share the names. In that of the files `results` is the content of an output or error file, and `upload`,
`files` (their list), `file` (its object, or the content of an input) and `delete_file` are its own.

    {"call": "create", "do": {"kind": "lose", "when": "after"}}
    {"call": "create", "do": {"kind": "answer", "status": 529, "when": "after"}, "after": 1, "times": 2}
    {"call": "results", "do": [{"kind": "delay", "seconds": 1}, {"kind": "cut", "at": 5000}], "times": null, "batch": 2}
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

FILE_CALLS = ("upload", "files", "file", "delete_file")
"""The calls that only the dialect of the files has."""

type CallName = Literal[
    "create", "retrieve", "list", "results", "cancel", "delete", "upload", "files", "file", "delete_file"
]
type When = Literal["before", "after"]
"""Before or after the call took effect; in both cases the request has arrived whole."""
type Ending = Literal["close", "reset"]
"""How a connection ends: in order (FIN) or by force (RST)."""
type Count = Annotated[int, Meta(ge=0)]
type Position = Annotated[int, Meta(ge=1)]
"""Place of a request in its batch, from 1."""
type Seconds = Annotated[float, Meta(ge=0)]


class Action(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag=str.lower):
    """One way to go wrong; the JSON names it by `kind`, the class name in lower case."""


class Lose(Action, frozen=True, kw_only=True):
    """End the connection without a byte of an answer."""

    when: When
    ending: Ending = "close"


class Answer(Action, frozen=True, kw_only=True):
    """Answer with an error; `body` replaces the JSON error by raw text, as a proxy would.

    A header `retry-after` (whole seconds, or an HTTP date) asks everybody to stay away: who comes too early is counted.
    """

    status: Annotated[int, Meta(ge=400, le=599)]
    when: When = "before"
    type: str | None = None
    error_code: str | None = None
    message: str = "This answer was asked for by a fault."
    headers: dict[str, str] = {}
    body: str | None = None


class Delay(Action, frozen=True, kw_only=True):
    """Wait before or after the effect; a client that has left does not stop the effect."""

    seconds: Seconds
    when: When = "after"


class Reset(Action, frozen=True, kw_only=True):
    """Reset the connection once `at` bytes of the request body have arrived; nothing takes effect."""

    at: Count


class Cut(Action, frozen=True, kw_only=True):
    """Send only the first `at` bytes of the answer's body; `clean` ends it as if it were whole."""

    at: Count
    ending: Literal["clean", "close", "reset"] = "close"


class Unlist(Action, frozen=True, kw_only=True):
    """Keep the batch or the file this call creates out of the next `looks` listings."""

    looks: Count


class Archive(Action, frozen=True, kw_only=True):
    """Let the results of the batch go before the call is answered."""


class Spoil(Action, frozen=True, kw_only=True):
    """Send wrong results; numbers are positions of requests in the batch, from 1.

    In the dialect of the files `repeated`, `foreign` and `extra` stand in the output file alone, or in the error file
    where there is no output; the rest holds for the file in which the line stands.
    """

    missing: list[Position] = []
    repeated: list[Position] = []  # sent once more, at the end
    repeated_as: str | None = None  # the outcome the repetition claims; without it the same line
    malformed: list[Position] = []  # cut in half
    lines: dict[Position, bytes] = {}  # instead of theirs, in base64; `<wire id>` stands for the custom_id
    foreign: list[str] = []  # custom_ids of results nobody asked for, sent first
    extra: list[str] = []  # lines as they are, sent after the first result
    shuffle: int | None = None  # seed of another order
    crlf: bool = False
    final_newline: bool = True


type AnyAction = Lose | Answer | Delay | Reset | Cut | Unlist | Archive | Spoil


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to go wrong at a call, after `after` calls went well, `times` times (`null`: for ever)."""

    call: CallName
    do: AnyAction | list[AnyAction]
    times: Count | None = 1
    after: Count = 0
    batch: Annotated[int, Meta(ge=1)] | None = None  # only calls about the n-th batch created, or its files

    @property
    def actions(self) -> list[AnyAction]:
        """Give what to do as a list, however it was written."""
        return self.do if isinstance(self.do, list) else [self.do]
