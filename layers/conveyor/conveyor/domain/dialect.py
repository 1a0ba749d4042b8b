"""What validation and planning need to know about a provider's batches."""

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, str] = MappingProxyType({})
_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=-]{0,499}")


class Form(NamedTuple):
    """How a batch body is written. A request is `before`, our id, `between`, the user's params, and `}`."""

    start: bytes
    """Before the first request."""
    before: bytes
    between: bytes
    separator: bytes
    """One byte between two requests."""
    end: bytes
    """After the last request."""
    is_lines: bool = False
    """Whether each request is a line of a file. Characters that some servers read as line ends are then escaped."""

    url: str | None = None
    """The `url` in lines of the provider's own form (method, url, body); None if there is no such form."""

    @property
    def around(self) -> int:
        """Bytes of a body besides its requests and their separators."""
        return len(self.start) + len(self.end)


class Dialect(NamedTuple):
    """A batch API: its form, its limits for one batch, and its rules for a request."""

    form: Form
    max_requests: int
    max_bytes: int
    """Of the whole body."""
    one_model: bool = False
    """Whether all requests of a batch must name the same model."""
    is_message: bool = True
    """Whether `params` are a Messages body. Of any other, only the model is checked, and no default is added."""
    refused_fields: Mapping[str, str] = NOTHING
    """Fields of `params` that this dialect refuses, with advice for each."""
    takes_betas: bool = False
    """Whether the call that creates a batch can name beta features."""
    window: timedelta = timedelta(hours=24)
    """A batch should end within this time after it is created."""


def is_batch_id(text: str) -> bool:
    """Tell whether a text can be the id of a batch in any dialect: it becomes part of URLs, keys and commands."""
    return _BATCH_ID.fullmatch(text) is not None
