"""What planning must know of the way a provider takes a batch, whichever provider it is."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, str] = MappingProxyType({})


class Form(NamedTuple):
    """How requests are written. Each is `before`, our id, `between`, the user's params, and `}`."""

    start: bytes
    """Before the first request."""
    before: bytes
    between: bytes
    separator: bytes
    """One byte between two requests."""
    end: bytes
    """After the last request."""
    is_lines: bool = False
    """Whether each request is a line of a file: then what some servers take for the end of a line is escaped."""

    url: str | None = None
    """The call that lines of the provider's own form name (method, url, body); None where there is no such form."""

    @property
    def around(self) -> int:
        """Bytes of a body beside its requests and what separates them."""
        return len(self.start) + len(self.end)


class Dialect(NamedTuple):
    """A provider's form, its limits of one batch, and its rules for a request."""

    form: Form
    max_requests: int
    max_bytes: int
    """Of the whole body."""
    one_model: bool = False
    """Whether all requests of a batch must name the same model."""
    is_message: bool = True
    """Whether `params` are a Messages body; of any other only the model is looked at, and nothing is put in."""
    refused_fields: Mapping[str, str] = NOTHING
    """Fields of `params` that this dialect refuses, and the advice for each."""
    takes_betas: bool = False
    """Whether there are beta features, which the call that creates a batch names."""
    window: timedelta = timedelta(hours=24)
    """After its creation a batch has ended, or should have."""
