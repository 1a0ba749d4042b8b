"""A line of `results.jsonl` or `failures.jsonl`, and what a table has of it."""

from typing import Any

import msgspec

from conveyor.domain.outcome import Outcome
from conveyor.jsonl.members import OUR_KEYS
from conveyor_cli.answers.message import Answer, read_answer
from conveyor_cli.trouble import Trouble

_NULL = msgspec.Raw(b"null")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Record(msgspec.Struct, array_like=True):
    """The outcome of one request."""

    custom_id: msgspec.Raw
    kept: dict[str, msgspec.Raw]
    """The keys of the user's own, as they are written."""
    outcome: str
    answer: Answer | None
    """None of a failure."""
    error_type: str | None
    error: str | None

    @property
    def name(self) -> str | None:
        """The id as text, since 7 and "7" are one id; None if it has none."""
        return text_of(self.custom_id)


def read_record(line: bytes, file: str, number: int) -> Record:
    """Read a line. Raises Trouble if it is not one that the stack has written."""
    try:
        line.decode()  # msgspec does not check text that it skips
        values = _decode(line)
        custom_id, response = values.get("custom_id", _NULL), bytes(values.get("response", _NULL))
        kept = {name: value for name, value in values.items() if name not in OUR_KEYS}
        if response.startswith(b"{"):
            return Record(custom_id, kept, Outcome.SUCCEEDED.value, read_answer(response), None, None)
        outcome = msgspec.json.decode(values["outcome"], type=str)
        return Record(custom_id, kept, outcome, None, *_error_of(msgspec.json.decode(values["error"])))
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError) as error:
        message = f"{file}, line {number:,} is not a line of results or failures"
        raise Trouble("damaged", message, "Fetch the files again.") from error


def text_of(raw: msgspec.Raw) -> str | None:
    """Return a text or an integer in JSON as text; None for anything else."""
    value = msgspec.json.decode(raw)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _error_of(error: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - any JSON
    """Return the type of an error, and its words."""
    if not isinstance(error, dict):
        return None, None
    kind, words = error.get("type"), error.get("message")
    return (kind if isinstance(kind, str) else None, words if isinstance(words, str) else None)
