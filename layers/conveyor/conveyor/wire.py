"""Requests as they are sent: the user's params byte for byte after our id."""

from collections.abc import Iterable, Iterator
from itertools import repeat

import msgspec

from conveyor.checked import PARAMS
from conveyor.drop import nonce, wire_id
from conveyor.lines import Stretch
from conveyor.plan import Batch


class Envelope:
    """What is put around the params of a run's requests."""

    def __init__(self, run: str, default_max_tokens: int) -> None:
        """Take the `max_tokens` that are put in where the user gave none."""
        self._before = b'{"custom_id":"%b' % wire_id(nonce(run), 0)[:-1].encode()
        self._between = b'","params":'
        self._default = b'{"max_tokens":%d,' % default_max_tokens
        self._frame = len(self._before) + len(self._between) + len("}")

    def requests(self, lines: Iterable[int], params: Iterable[bytes], defaulted: Iterable[bool | None]) -> bytes:
        """Return the requests of some lines, with commas between them."""
        pieces: list[bytes] = []
        for line, written, is_defaulted in zip(lines, params, defaulted, strict=False):
            before = b"%b%d%b" % (self._before, line, self._between)
            if is_defaulted:
                pieces += (before, self._default, bytes(written)[1:], b"},")
            else:
                pieces += (before, written, b"},")
        return b"".join(pieces)[:-1]

    def size(self, first: int, last: int, params: int, defaulted: int) -> int:
        """Return how many bytes the requests of lines `first` to `last` have, with commas between them.

        `params`: bytes of all their params; `defaulted`: how many of them get the default.
        """
        count = last - first + 1
        digits = len(str(first)) * count
        if len(str(last)) > len(str(first)):
            digits = sum(len(str(line)) for line in range(first, last + 1))
        return params + digits + count * self._frame + (count - 1) + defaulted * (len(self._default) - 1)


class _GivenTokens(msgspec.Struct, gc=False):
    max_tokens: msgspec.Raw = msgspec.Raw(b"")


_decode_given_tokens = msgspec.json.Decoder(_GivenTokens).decode


def wire_requests(batch: Batch, envelope: Envelope, stretches: Iterable[Stretch]) -> Iterator[bytes]:
    """Yield the requests of a batch, from all its lines as they were checked: some at a time, with commas between."""
    for some in PARAMS.read(stretches, batch.first_line, batch.skipped_lines):
        if some.values:
            defaulted = map(_lacks_max_tokens, some.values) if batch.defaulted else repeat(None)
            yield envelope.requests(some.numbers, some.values, defaulted)


def _lacks_max_tokens(params: bytes) -> bool:
    return not _decode_given_tokens(params).max_tokens
