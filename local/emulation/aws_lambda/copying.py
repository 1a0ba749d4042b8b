"""A process that has imported what functions import, and copies itself for each process of a function.

`copies.py` starts it. Its standard input is a socket, from which it reads what to run; the other end may close it.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

LENGTH = struct.Struct("!Q")
"""Stands before each request; a number alone, that of a process, is the answer."""


def main(folders: list[str], modules: list[str]) -> None:
    """Import modules from folders, as far as that works, and make copies. What fails does so in a function, too."""
    path = list(sys.path)
    sys.path[:0] = folders
    for module in modules:
        with suppress(Exception):
            import_module(module)
    sys.path[:] = path
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a copy that has ended is not kept
    with socket.socket(fileno=os.dup(0)) as line:
        while True:
            header, streams, *_ = socket.recv_fds(line, LENGTH.size, 3, socket.MSG_WAITALL)
            if not header:
                return
            (length,) = LENGTH.unpack(header)
            asked = json.loads(line.recv(length, socket.MSG_WAITALL))
            copy = os.fork()
            if not copy:
                line.close()
                _run(asked, streams)
            for stream in streams:
                os.close(stream)
            line.sendall(LENGTH.pack(copy))


def _run(asked: dict[str, Any], streams: list[int]) -> NoReturn:
    """Run a program as if Python had just been started with it, and exit."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    code = 1
    try:
        runpy.run_path(asked["program"], run_name="__main__")
        code = 0
    except BaseException:  # noqa: BLE001 - what Python does at the end of a program
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
