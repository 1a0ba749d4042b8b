"""Requests as they are sent: our id and the user's params, byte for byte except for fields that are null.

In files of lines, line separators in strings are escaped, too (see `separators`).
"""

from collections.abc import Iterable, Iterator
from itertools import repeat

import msgspec

from conveyor.domain.dialect import Form
from conveyor.domain.drop import nonce, wire_id
from conveyor.domain.plan import Batch
from conveyor.jsonl.lines import LineBlock
from conveyor.jsonl.members import without_nulls
from conveyor.jsonl.separators import escaped, growth
from conveyor.jsonl.validated_lines import PARAMS, PARAMS_OR_BODY


class Envelope:
    """What surrounds the params of a run's requests in a body."""

    def __init__(self, form: Form, run: str, default_max_tokens: int) -> None:
        """`default_max_tokens` is added to params without `max_tokens`."""
        self._form = form
        self._before = form.before + wire_id(nonce(run), 0)[:-1].encode()
        self._after = b"}" + form.separator
        self._default = b'{"max_tokens":%d,' % default_max_tokens
        self._frame = len(self._before) + len(form.between) + len(b"}")

    def requests(self, lines: Iterable[int], params: Iterable[bytes], defaulted: Iterable[bool | None]) -> bytes:
        """Return the requests of some lines, with separators."""
        before, between, after, default = self._before, self._form.between, self._after, self._default
        pieces: list[bytes] = []
        for line, written, is_defaulted in zip(lines, params, defaulted, strict=False):
            start = b"%b%d%b" % (before, line, between)
            if is_defaulted:
                pieces += (start, default, bytes(written)[1:], after)
            else:
                pieces += (start, written, after)
        sent = b"".join(pieces)[: -len(self._form.separator)]
        return escaped(sent) if self._form.is_lines else sent

    def growth(self, text: bytes) -> int:
        """Return how many bytes longer params become by escaping when they are sent."""
        return growth(text) if self._form.is_lines else 0

    def size(self, first: int, last: int, params: int, defaulted: int) -> int:
        """Return the bytes of the requests of lines `first` to `last`, with separators.

        `params`: bytes of all their params, including their growth; `defaulted`: how many of them get the default.
        """
        count = last - first + 1
        digits = len(str(first)) * count
        if len(str(last)) > len(str(first)):
            digits = sum(len(str(line)) for line in range(first, last + 1))
        return params + digits + count * self._frame + (count - 1) + defaulted * (len(self._default) - 1)

    def body(self, batch: Batch, blocks: Iterable[LineBlock]) -> Iterator[bytes]:
        """Yield the body of a batch from the lines it was planned with, in pieces large enough for a system call.

        Reads nothing after the last request.
        """
        before, left = self._form.start, batch.requests
        field = PARAMS if self._form.url is None else PARAMS_OR_BODY
        for block in field.read(blocks, batch.first_line, batch.unsent_lines):
            if block.values:
                params = [without_nulls(bytes(value)) for value in block.values] if batch.nulled else block.values
                defaulted = map(_lacks_max_tokens, params) if batch.defaulted else repeat(None)
                yield before
                yield self.requests(block.numbers, params, defaulted)
                before = self._form.separator
                left -= len(block.values)
            if not left:
                break
        yield self._form.end


class _GivenTokens(msgspec.Struct, gc=False):
    max_tokens: msgspec.Raw = msgspec.Raw(b"")


_decode_given_tokens = msgspec.json.Decoder(_GivenTokens).decode


def _lacks_max_tokens(params: bytes) -> bool:
    return not _decode_given_tokens(params).max_tokens
