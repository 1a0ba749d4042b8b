"""Files that are written for the user."""

import msgspec


class OutputFile(msgspec.Struct, frozen=True):
    """A file that was written, as the receipt lists it."""

    key: str
    lines: int
    bytes: int
    sha256: str
