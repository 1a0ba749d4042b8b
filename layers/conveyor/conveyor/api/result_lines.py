"""What the result lines of all dialects have in common: whose they are, their answer, and what it says it used.

Our parser never decides whether a paid answer exists: what is nearly JSON is repaired, and what is not is kept.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from conveyor.api.words import UNDECODABLE
from conveyor.outcome import Outcome, Result, Usage, unreadable
from conveyor.repair import is_strict, repaired
from conveyor.stops import finish_of, stop_of

LONGEST_RESULT = 64_000_000
"""Bytes; the longest answer a model gives is a fiftieth of it."""
_WIRE_ID = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{10}-[0-9]{1,15}(?![0-9A-Za-z])")
"""An id of ours, wherever it stands in a line that cannot be read: nobody else has ids of this form and our run's."""
_BEGINNING = re.compile(rb'(?<!\\)\{\s*(?:"id"\s*:\s*"[^"\\]{0,100}"\s*,\s*)?"custom_id"\s*:\s*"[0-9a-f]{10}-')
"""Of a line of results, under one of our ids."""
_MOST_ON_A_LINE = 100
_DEEPEST = 3
"""Texts within texts in which an answer is looked for."""


def read_line(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Decode one line; if it is no strict JSON, what a repair makes of it. `decode` raises one of UNDECODABLE.

    Returns one result, or more where line feeds were lost. Where nobody knows whose a result is, it has no id.
    """
    try:
        raw.decode()  # msgspec does not check the text that it passes over
        return [decode(raw)]
    except UNDECODABLE:
        pass
    if is_strict(raw):
        return [Result("", Outcome.ERRORED, raw)]
    text = repaired(raw)
    if text is None:
        return _broken(raw, decode)
    try:
        result = decode(text)
    except UNDECODABLE:
        return [Result("", Outcome.ERRORED, raw)]
    return [replace(result, raw=raw, is_repaired=result.outcome is Outcome.SUCCEEDED)]


def _broken(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Read several results that stand on one line, or name the requests of one that is no JSON."""
    places = [found.start() for found in _BEGINNING.finditer(raw)]
    if 1 < len(places) <= _MOST_ON_A_LINE:
        bounds = [0 if place == places[0] else place for place in places]
        pieces = [raw[start:end].strip() for start, end in zip(bounds, [*bounds[1:], len(raw)], strict=True)]
        return [result for piece in pieces for result in read_line(piece, decode)]
    ids = list(dict.fromkeys(found.decode() for found in _WIRE_ID.findall(raw)))
    if not 0 < len(ids) <= _MOST_ON_A_LINE:
        return [Result("", Outcome.ERRORED, raw)]
    return [unreadable(wire_id, raw, "is not JSON", is_broken=True) for wire_id in ids]


class Answer(NamedTuple):
    """An answer as one JSON object."""

    json: bytes
    is_repaired: bool


def answer_in(value: bytes) -> Answer | None:
    """Return the object that a JSON value is, or that it holds as text; None where it is neither."""
    is_repaired = False
    for _ in range(_DEEPEST):
        if value.startswith(b"{"):
            # In strict JSON these stand between its parts only, and would end the line that holds it.
            return Answer(value.replace(b"\n", b" ").replace(b"\r", b" "), is_repaired)
        if not value.startswith(b'"'):
            return None
        text = msgspec.json.decode(value, type=str).strip().encode()
        whole = text if is_strict(text) else repaired(text)
        if whole is None:
            return None
        value, is_repaired = whole.strip(), is_repaired or whole is not text
    return None


UNCOUNTABLE = 10**15
"""Tokens that no answer has: a sum of them would overflow."""
type Count = Annotated[int, msgspec.Meta(ge=0, lt=UNCOUNTABLE)]


class Account(NamedTuple):
    """What an answer says of itself."""

    model: str
    usage: Usage
    stop: str = ""
    """Why it ended, as it is counted."""


class _Loose(msgspec.Struct):
    model: Any = ""
    usage: Any = None
    stop_reason: Any = UNSET
    choices: Any = None
    status: Any = UNSET
    incomplete_details: Any = None


_decode_loose = msgspec.json.Decoder(_Loose).decode


def account_in(answer: bytes) -> Account:
    """Read what an answer says under the names of any API; each by itself, so that an odd one hides no other."""
    try:
        told = _decode_loose(answer)
    except UNDECODABLE:
        return Account("", Usage())
    given = told.usage if isinstance(told.usage, dict) else {}
    read = [_count(given.get(name)) for name in ("input_tokens", "prompt_tokens")]
    written = [_count(given.get(name)) for name in ("output_tokens", "completion_tokens")]
    cached = (_count(given.get(name)) for name in ("cache_creation_input_tokens", "cache_read_input_tokens"))
    usage = Usage(_first(read), _first(written), *(count or 0 for count in cached))
    choices = told.choices if isinstance(told.choices, list) else []
    finishes = [each.get("finish_reason", UNSET) for each in choices if isinstance(each, dict)]
    stop = stop_in(told.stop_reason, finishes, told.status, told.incomplete_details)
    return Account(told.model if isinstance(told.model, str) else "", usage, stop)


def stop_in(stop_reason: object, finishes: list[object], status: object, details: object) -> str:
    """Return why an answer ended, as it is counted.

    A message says it as `stop_reason`, a chat completion in each choice (`finishes`), a response by its status and
    `incomplete_details`. A null counts only where nothing else says more.
    """
    if (stop_reason is UNSET or stop_reason is None) and (finish := finish_of(finishes)):
        return finish
    if status == "incomplete" and isinstance(details, dict):
        return finish_of([details.get("reason")])
    return "end_turn" if stop_reason is UNSET and status == "completed" else stop_of(stop_reason)


def _first(counts: list[int | None]) -> int:
    return next((count for count in counts if count is not None), 0)


def _count(given: object) -> int | None:
    """Read a count, which servers also write as `3.0` or `"3"`; None where it is none."""
    if isinstance(given, str):
        given = float(given) if given.replace(".", "", 1).isdecimal() and given.isascii() else None
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return int(given) if 0 <= given < UNCOUNTABLE else None
