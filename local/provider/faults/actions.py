"""Faults as data: which call goes wrong, how often, and in what way.

The faults of one call form a queue. The first that is not used up lets `after` calls pass, then strikes `times` calls;
then comes the next. A call that is refused before its body is read (401, a wrong version, 413) uses up no fault.
`http/endpoint.py` carries the faults out.

Both APIs share the names of calls. In the file batch API `results` is the content of an output or error file; only
that API has `upload`, `files` (their list), `file` (its object, or the content of an upload) and `delete_file`.

    {"call": "create", "do": {"kind": "lose", "when": "after"}}
    {"call": "create", "do": {"kind": "answer", "status": 529, "when": "after"}, "after": 1, "times": 2}
    {"call": "results", "do": [{"kind": "delay", "seconds": 1}, {"kind": "cut", "at": 5000}], "times": null, "batch": 2}
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

FILE_CALLS = ("upload", "files", "file", "delete_file")
"""The calls that only the file batch API has."""

type CallName = Literal[
    "create", "retrieve", "list", "results", "cancel", "delete", "upload", "files", "file", "delete_file"
]
type When = Literal["before", "after"]
"""Before or after the call takes effect; in both cases the whole request has arrived."""
type Ending = Literal["close", "reset"]
"""How a connection ends: by FIN or by RST."""
type Count = Annotated[int, Meta(ge=0)]
type Position = Annotated[int, Meta(ge=1)]
"""Position of a request in its batch, from 1."""
type Seconds = Annotated[float, Meta(ge=0)]


class Action(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag=str.lower):
    """One way to go wrong; `kind` in the JSON is the class name in lower case."""


class Lose(Action, frozen=True, kw_only=True):
    """End the connection without a byte of an answer."""

    when: When
    ending: Ending = "close"


class Answer(Action, frozen=True, kw_only=True):
    """Answer with an error; `body` replaces the JSON error with text, as a proxy would.

    After a `retry-after` header (whole seconds, or an HTTP date), calls that come too early are counted.
    """

    status: Annotated[int, Meta(ge=400, le=599)]
    when: When = "before"
    type: str | None = None
    error_code: str | None = None
    message: str = "A fault in the provider's settings caused this error."
    headers: dict[str, str] = {}
    body: str | None = None


class Delay(Action, frozen=True, kw_only=True):
    """Wait before or after the call takes effect, which happens even if the client disconnects."""

    seconds: Seconds
    when: When = "after"


class Reset(Action, frozen=True, kw_only=True):
    """Reset the connection once `at` bytes of the request body have arrived; nothing takes effect."""

    at: Count


class Cut(Action, frozen=True, kw_only=True):
    """Send only the first `at` bytes of the answer's body; `clean` ends it as if it were complete."""

    at: Count
    ending: Literal["clean", "close", "reset"] = "close"


class Unlist(Action, frozen=True, kw_only=True):
    """Leave the batch or the file that this call creates out of the next `looks` listings."""

    looks: Count


class Archive(Action, frozen=True, kw_only=True):
    """Delete the results of the batch before the call is answered."""


class Spoil(Action, frozen=True, kw_only=True):
    """Send wrong results; numbers are positions of requests in the batch, from 1.

    In the file batch API `repeated`, `foreign` and `extra` lines are in the output file, or in the error file if there
    is no output file; the rest applies to the file that holds the line.
    """

    missing: list[Position] = []
    repeated: list[Position] = []  # sent once more, at the end
    repeated_as: str | None = None  # the outcome in the repeated line; null: the same line
    malformed: list[Position] = []  # cut in half
    lines: dict[Position, bytes] = {}  # replacements, in base64; `<wire id>` becomes the custom_id
    foreign: list[str] = []  # custom_ids of requests that the batch does not have, sent first
    extra: list[str] = []  # lines of any text, sent after the first result
    shuffle: int | None = None  # seed for another order
    crlf: bool = False
    final_newline: bool = True


type AnyAction = Lose | Answer | Delay | Reset | Cut | Unlist | Archive | Spoil


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong at a call: `after` calls succeed, then it happens `times` times (`null`: always)."""

    call: CallName
    do: AnyAction | list[AnyAction]
    times: Count | None = 1
    after: Count = 0
    batch: Annotated[int, Meta(ge=1)] | None = None  # only calls about the n-th batch created, or its result files

    @property
    def actions(self) -> list[AnyAction]:
        """The actions as a list."""
        return self.do if isinstance(self.do, list) else [self.do]
