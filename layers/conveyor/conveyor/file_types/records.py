"""Tell JSON records, the rows of a table, from requests with faults: the lines of the latter are checked one by one."""

import re

import msgspec

from conveyor.jsonl.complexity import has_too_many_values
from conveyor.jsonl.lines import LONGEST_LINE

_OF_A_REQUEST = re.compile(rb'"(?:params|messages|max_tokens)"\s*:|"body"\s*:\s*\{')
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def are_records(text: bytes, *, is_cut: bool) -> bool:
    """Return whether each line that is not blank is a record. `is_cut`: whether the last one may be truncated."""
    lines = text.split(b"\n")
    found = [line for each in (lines[:-1] if is_cut else lines) if (line := each.strip())]
    return bool(found) and all(map(is_record, found))


def is_record(value: bytes) -> bool:
    """Return whether a value is an object without any part of a request. It may have an id, beside plain values."""
    if len(value) > LONGEST_LINE or _OF_A_REQUEST.search(value) or has_too_many_values(value):
        return False
    try:
        fields = _decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    are_plain = not any(bytes(each).lstrip()[:1] == b"{" for each in fields.values())
    return bool(fields) and ("custom_id" not in fields or (len(fields) > 1 and are_plain))
