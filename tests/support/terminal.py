"""A terminal: the one end is what a command reads from and writes to, the other one is read and typed into here."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROWS = 24
_STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}


def open_terminal(columns: int) -> tuple[int, int]:
    """Open a terminal that is so wide; return our end, and that of the command."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    return ours, theirs


def converse(ours: int, typed: str = "") -> str:
    """Read what is written until nobody has the other end open. `typed`: the answers to questions, a line each."""
    written, answers = b"", typed.encode().splitlines(keepends=True)
    with suppress(OSError):  # Linux says EIO at the end
        while more := os.read(ours, 65536):
            written += more
            if answers and written.endswith(b": "):
                os.write(ours, answers.pop(0))
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def call_in_terminal[Result](call: Callable[[], Result], columns: int, typed: str) -> tuple[Result, str]:
    """Call a function whose standard streams are a terminal; return its result, and what was written there."""
    ours, theirs = open_terminal(columns)
    with ThreadPoolExecutor(1) as reader:
        written = reader.submit(converse, ours, typed)
        with _standard_streams(theirs):
            result = call()
        return result, written.result()


@contextmanager
def _standard_streams(terminal: int) -> Iterator[None]:
    """Let the streams of this process be a terminal, which is closed after the block."""
    with ExitStack() as stack:
        stack.callback(os.close, terminal)
        for number, (name, mode) in enumerate(_STREAMS.items()):
            stack.enter_context(_descriptor(number, terminal))
            stream = stack.enter_context(open(os.dup(terminal), mode, encoding="utf-8"))  # noqa: PTH123 - no path
            stack.enter_context(patch.object(sys, name, stream))
        yield


@contextmanager
def _descriptor(number: int, terminal: int) -> Iterator[None]:
    """Let a descriptor be a terminal for the length of a block: by it, a program asks how wide the terminal is."""
    before = os.dup(number)
    os.dup2(terminal, number)
    try:
        yield
    finally:
        os.dup2(before, number)
        os.close(before)
