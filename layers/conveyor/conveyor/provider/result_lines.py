"""What the result lines of all dialects have in common: whose they are, their answer, and what it says it used.

Our parser never decides whether a paid answer exists: what is nearly JSON is repaired, and what is not is kept.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from conveyor.domain.outcome import Outcome, Result, Usage, unreadable_result
from conveyor.domain.stop_reasons import finish_of, stop_of
from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.repair import is_strict, is_utf8, repaired
from conveyor.provider.error_body import UNDECODABLE

LONGEST_RESULT = 50_000_000
"""Bytes; the longest answer a model gives is a thirtieth of it."""
_WIRE_ID = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{10}-[0-9]{1,15}(?![0-9A-Za-z])")
"""An id of ours, wherever it stands in a line that cannot be read: nobody else has ids of this form and our run's."""
_BEGINNING = re.compile(rb'(?<!\\)\{\s*(?:"id"\s*:\s*"[^"\\]{0,100}"\s*,\s*)?"custom_id"\s*:\s*"[0-9a-f]{10}-')
"""Of a line of results, under one of our ids."""
_MOST_ON_A_LINE = 100
_AROUND = b"[], \t\r\n"
"""Bytes around the results of an array."""
_MOST_OF_ARRAY = 2_000_000
"""Values in all results of an array on one line; it is read by its ids where it has more."""
_DEEPEST = 3
"""Texts within texts in which an answer is looked for."""
_LONGEST_TEXT = 16_000_000
"""Bytes of such a text: each of its characters may take four bytes of memory."""
_LONGEST_ACCOUNT = 100_000
"""Bytes of what an answer says of its model or its tokens; an account that is longer is none."""
_MOST_OF_CHOICES = 10_000
"""Values in all choices of an answer."""


def read_line(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Decode one line; if it is no strict JSON, what a repair makes of it. `decode` raises one of UNDECODABLE.

    Returns one result; more where line feeds were lost; none where there is nothing but brackets and commas of an
    array. Where nobody knows whose a result is, it has no id.
    """
    if is_utf8(raw):  # msgspec does not check the text that it passes over
        try:
            return [decode(raw)]
        except UNDECODABLE:
            pass
    bare = raw.strip(_AROUND)
    if raw and not bare:  # a line that is too long comes as an empty one
        return []
    results = _read(bare, decode)
    return [replace(results[0], raw=raw)] if len(results) == 1 else results


def _read(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Read what stands on a line, without brackets and commas around it."""
    if is_strict(raw):
        return [_named(raw, decode)]
    if values := _array_of(raw):
        return [_named(bytes(value), decode) for value in values]
    text = repaired(raw)
    if text is None:
        return _broken(raw, decode)
    result = _named(text, decode)
    return [replace(result, raw=raw, is_repaired=result.outcome is Outcome.SUCCEEDED)]


def _named(text: bytes, decode: Callable[[bytes], Result]) -> Result:
    """Decode strict JSON; it has no id where it is no result."""
    try:
        return decode(text)
    except UNDECODABLE:
        return Result("", Outcome.ERRORED, text)


def _array_of(raw: bytes) -> list[msgspec.Raw]:
    """Return the objects of an array without its brackets; none where it is no such array."""
    if not (raw.startswith(b"{") and raw.endswith(b"}")):
        return []
    array = b"[%b]" % raw
    if not is_strict(array) or has_too_many_values(array, _MOST_OF_ARRAY):
        return []
    return _decode_many(array)


def _broken(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Read several results that stand on one line, or name the requests of one that is no JSON."""
    places = [found.start() for found in islice(_BEGINNING.finditer(raw), _MOST_ON_A_LINE + 1)]
    if 1 < len(places) <= _MOST_ON_A_LINE:
        bounds = [0 if place == places[0] else place for place in places]
        pieces = [raw[start:end].strip(_AROUND) for start, end in zip(bounds, [*bounds[1:], len(raw)], strict=True)]
        return [result for piece in pieces for result in read_line(piece, decode)]
    ids = dict[str, None]()
    for found in _WIRE_ID.finditer(raw):
        ids[found[0].decode()] = None
        if len(ids) > _MOST_ON_A_LINE:
            break
    if not 0 < len(ids) <= _MOST_ON_A_LINE:
        return [Result("", Outcome.ERRORED, raw)]
    return [unreadable_result(wire_id, raw, "is not JSON", is_broken=True) for wire_id in ids]


class Answer(NamedTuple):
    """An answer as one JSON object."""

    json: bytes
    is_repaired: bool


def parse_answer(value: bytes) -> Answer | None:
    """Return the object that a JSON value is, or that it holds as text; None where it is neither."""
    is_repaired = False
    for _ in range(_DEEPEST):
        if value.startswith(b"{"):
            # In strict JSON these stand between its parts only, and would end the line that holds it.
            return Answer(value.replace(b"\n", b" ").replace(b"\r", b" "), is_repaired)
        if not value.startswith(b'"'):
            return None
        if len(value) > _LONGEST_TEXT:
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


class AnswerSummary(NamedTuple):
    """What an answer says of itself."""

    model: str
    usage: Usage
    stop: str = ""
    """Why it ended, as it is counted."""


_ABSENT = msgspec.Raw(b"")


class _Loose(msgspec.Struct):
    model: msgspec.Raw = _ABSENT
    usage: msgspec.Raw = _ABSENT
    stop_reason: msgspec.Raw = _ABSENT
    choices: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT
    incomplete_details: msgspec.Raw = _ABSENT


class _Choice(msgspec.Struct):
    finish_reason: msgspec.Raw = _ABSENT


_decode_loose = msgspec.json.Decoder(_Loose).decode
_decode_many = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_choice = msgspec.json.Decoder(_Choice).decode


def summarize(answer: bytes) -> AnswerSummary:
    """Read what an answer says under the names of any API; each by itself, so that an odd one hides no other."""
    try:
        told = _decode_loose(answer)
        model, usage = _short(told.model), _short(told.usage)
    except UNDECODABLE:
        return AnswerSummary("", Usage())
    given = usage if isinstance(usage, dict) else {}
    read = [_count(given.get(name)) for name in ("input_tokens", "prompt_tokens")]
    written = [_count(given.get(name)) for name in ("output_tokens", "completion_tokens")]
    cached = (_count(given.get(name)) for name in ("cache_creation_input_tokens", "cache_read_input_tokens"))
    counts = Usage(_first(read), _first(written), *(count or 0 for count in cached))
    finishes = [_short(each.finish_reason) for each in _choices(told.choices)]
    stop = stop_in(_short(told.stop_reason), finishes, _short(told.status), _short(told.incomplete_details))
    return AnswerSummary(model if isinstance(model, str) else "", counts, stop)


def _choices(raw: msgspec.Raw) -> Iterator[_Choice]:
    """Yield the choices of a chat completion, without the texts that they hold; leave out what is no object."""
    value = bytes(raw)
    if value.startswith(b"[") and not has_too_many_values(value, _MOST_OF_CHOICES):
        for each in _decode_many(value):
            if bytes(each).startswith(b"{"):
                yield _decode_choice(each)


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


def _short(raw: msgspec.Raw) -> Any:  # noqa: ANN401  # JSON has no narrower type
    """Read a value that is short, as all of an account are. UNSET where it is absent."""
    value = bytes(raw)
    if not value:
        return UNSET
    return msgspec.json.decode(value) if len(value) <= _LONGEST_ACCOUNT else None


def _first(counts: list[int | None]) -> int:
    return next((count for count in counts if count is not None), 0)


def _count(given: object) -> int | None:
    """Read a count, which servers also write as `3.0` or `"3"`; None where it is none."""
    if isinstance(given, str):
        given = float(given) if given.replace(".", "", 1).isdecimal() and given.isascii() else None
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return int(given) if 0 <= given < UNCOUNTABLE else None
