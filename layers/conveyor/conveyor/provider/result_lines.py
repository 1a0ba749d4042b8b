"""What the result lines of all dialects have in common: the request, its answer, and the tokens it used.

A paid answer is never lost to a parser: what is nearly JSON is repaired, and what is not is kept.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from conveyor.answers.stop_reasons import finish_of, stop_of
from conveyor.domain.outcome import Outcome, Result, unreadable_result
from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.repair import is_strict, is_utf8, repaired
from conveyor.money.usage import ModelUsage, Usage
from conveyor.provider.error_body import UNDECODABLE
from conveyor.provider.reported_usage import not_included_in, place_of, usage_of

LONGEST_RESULT = 50_000_000
"""Bytes; thirty times the longest answer of a model."""
_WIRE_ID = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{10}-[0-9]{1,15}(?![0-9A-Za-z])")
"""One of our ids, anywhere in a line that cannot be read."""
_BEGINNING = re.compile(rb'(?<!\\)\{\s*(?:"id"\s*:\s*"[^"\\]{0,100}"\s*,\s*)?"custom_id"\s*:\s*"[0-9a-f]{10}-')
"""The beginning of a result line with one of our ids."""
_MOST_ON_A_LINE = 100
_ARRAY_BYTES = b"[], \t\r\n"
"""Bytes around the elements of an array."""
_MOST_OF_ARRAY = 2_000_000
"""Values in an array of results on one line. If it has more, only the ids in it are read."""
_DEEPEST = 3
"""Levels of texts within texts in which an answer is looked for."""
_LONGEST_TEXT = 16_000_000
"""Bytes of such a text: one character can take four bytes of memory."""
_LONGEST_FIELD = 100_000
"""Bytes of a field of an answer's summary; a longer one counts as absent."""
_MOST_OF_CHOICES = 10_000
"""Values in all choices of an answer."""


def read_line(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Decode one line, repaired if it is not strict JSON. `decode` raises one of UNDECODABLE.

    Returns one result; several if line feeds were lost; none for the brackets and commas of an array. A result of an
    unknown request has no id.
    """
    if is_utf8(raw):  # msgspec does not check text that it skips
        try:
            return [decode(raw)]
        except UNDECODABLE:
            pass
    bare = raw.strip(_ARRAY_BYTES)
    if raw and not bare:  # a line that is too long arrives empty
        return []
    results = _read(bare, decode)
    return [replace(results[0], raw=raw)] if len(results) == 1 else results


def _read(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Decode a line, without brackets and commas around it."""
    if is_strict(raw):
        return [_decode_strict(raw, decode)]
    if values := _array_of(raw):
        return [_decode_strict(bytes(value), decode) for value in values]
    text = repaired(raw)
    if text is None:
        return _decode_broken(raw, decode)
    result = _decode_strict(text, decode)
    return [replace(result, raw=raw, is_repaired=result.outcome is Outcome.SUCCEEDED)]


def _decode_strict(text: bytes, decode: Callable[[bytes], Result]) -> Result:
    """Decode strict JSON; without an id if it is no result."""
    try:
        return decode(text)
    except UNDECODABLE:
        return Result("", Outcome.ERRORED, text)


def _array_of(raw: bytes) -> list[msgspec.Raw]:
    """Return the objects of an array without brackets; none if it is no such array."""
    if not (raw.startswith(b"{") and raw.endswith(b"}")):
        return []
    array = b"[%b]" % raw
    if not is_strict(array) or has_too_many_values(array, _MOST_OF_ARRAY):
        return []
    return _decode_many(array)


def _decode_broken(raw: bytes, decode: Callable[[bytes], Result]) -> list[Result]:
    """Decode several results on one line, or name the requests of a line that is not JSON."""
    places = [match.start() for match in islice(_BEGINNING.finditer(raw), _MOST_ON_A_LINE + 1)]
    if 1 < len(places) <= _MOST_ON_A_LINE:
        bounds = [0 if place == places[0] else place for place in places]
        pieces = [
            raw[start:end].strip(_ARRAY_BYTES) for start, end in zip(bounds, [*bounds[1:], len(raw)], strict=True)
        ]
        return [result for piece in pieces for result in read_line(piece, decode)]
    ids = dict[str, None]()
    for match in _WIRE_ID.finditer(raw):
        ids[match[0].decode()] = None
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
    """Return the object that a JSON value is, or holds as text; None if it is neither."""
    is_repaired = False
    for _ in range(_DEEPEST):
        if value.startswith(b"{"):
            return Answer(without_line_ends(value), is_repaired)
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


def without_line_ends(value: bytes) -> bytes:
    """Replace what would end the line of the output by blanks. Strict JSON has these between its parts only."""
    return value.replace(b"\n", b" ").replace(b"\r", b" ")


class AnswerSummary(NamedTuple):
    """What is counted of an answer."""

    model: str
    usage: Usage
    stop: str = ""
    """Its stop reason."""
    place: str = ""
    """Where inference ran."""
    also_used: tuple[ModelUsage, ...] = ()


_ABSENT = msgspec.Raw(b"")


class _AnswerFields(msgspec.Struct):
    model: msgspec.Raw = _ABSENT
    usage: msgspec.Raw = _ABSENT
    stop_reason: msgspec.Raw = _ABSENT
    choices: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT
    incomplete_details: msgspec.Raw = _ABSENT


class _Choice(msgspec.Struct):
    finish_reason: msgspec.Raw = _ABSENT


_decode_answer_fields = msgspec.json.Decoder(_AnswerFields).decode
_decode_many = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_choice = msgspec.json.Decoder(_Choice).decode


def succeeded(wire_id: str, raw: bytes, answer: Answer, summary: AnswerSummary) -> Result:
    """Return the result of a line that holds an answer."""
    model, usage, stop, place, also_used = summary
    return Result(
        wire_id, Outcome.SUCCEEDED, raw, answer.json, None, model, usage, answer.is_repaired, stop=stop, place=place,
        also_used=also_used,
    )  # fmt: skip


def summarize(answer: bytes) -> AnswerSummary:
    """Read model, tokens and stop reason, by the names of any API. A field that cannot be decoded counts as absent."""
    try:
        fields = _decode_answer_fields(answer)
        model, usage = _short(fields.model), _short(fields.usage)
    except UNDECODABLE:
        return AnswerSummary("", Usage())
    counted = usage if isinstance(usage, dict) else {}
    finishes = [_short(choice.finish_reason) for choice in _choices(fields.choices)]
    stop = stop_in(_short(fields.stop_reason), finishes, _short(fields.status), _short(fields.incomplete_details))
    name = model if isinstance(model, str) else ""
    return AnswerSummary(name, usage_of(counted), stop, place_of(counted), not_included_in(counted))


def _choices(raw: msgspec.Raw) -> Iterator[_Choice]:
    """Yield the choices of a chat completion that are objects, without their texts."""
    value = bytes(raw)
    if value.startswith(b"[") and not has_too_many_values(value, _MOST_OF_CHOICES):
        for each in _decode_many(value):
            if bytes(each).startswith(b"{"):
                yield _decode_choice(each)


def stop_in(stop_reason: object, finishes: list[object], status: object, details: object) -> str:
    """Return the stop reason of an answer.

    A message has it as `stop_reason`, a chat completion in each choice (`finishes`), a response in its status and
    `incomplete_details`. A null counts only if there is no other.
    """
    if (stop_reason is UNSET or stop_reason is None) and (finish := finish_of(finishes)):
        return finish
    if status == "incomplete" and isinstance(details, dict):
        return finish_of([details.get("reason")])
    return "end_turn" if stop_reason is UNSET and status == "completed" else stop_of(stop_reason)


def _short(raw: msgspec.Raw) -> Any:  # noqa: ANN401  # JSON has no narrower type
    """Decode a short value; None if it is long, UNSET if it is absent."""
    value = bytes(raw)
    if not value:
        return UNSET
    return msgspec.json.decode(value) if len(value) <= _LONGEST_FIELD else None
