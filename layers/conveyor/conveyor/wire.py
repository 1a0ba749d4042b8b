"""A request as it is sent: the user's params byte for byte after our id."""

from conveyor.drop import nonce, wire_id


class Envelope:
    """What is put around the params of a run's requests."""

    def __init__(self, run: str, default_max_tokens: int) -> None:
        """Take the `max_tokens` that are put in where the user gave none."""
        self._before = b'{"custom_id":"%b' % wire_id(nonce(run), 0)[:-1].encode()
        self._between = b'","params":'
        self._default = b'{"max_tokens":%d,' % default_max_tokens
        self._frame = len(self._before) + len(self._between) + len("}")

    def request(self, line: int, params: bytes, *, defaulted: bool) -> bytes:
        """Return the request of a line."""
        if defaulted:
            return b"%b%d%b%b%b}" % (self._before, line, self._between, self._default, params[1:])
        return b"%b%d%b%b}" % (self._before, line, self._between, params)

    def size(self, first: int, last: int, params: int, defaulted: int) -> int:
        """Return how many bytes the requests of lines `first` to `last` have, with commas between them.

        `params`: bytes of all their params; `defaulted`: how many of them get the default.
        """
        count = last - first + 1
        digits = len(str(first)) * count
        if len(str(last)) > len(str(first)):
            digits = sum(len(str(line)) for line in range(first, last + 1))
        return params + digits + count * self._frame + (count - 1) + defaulted * (len(self._default) - 1)
