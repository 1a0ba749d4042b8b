"""The processes that run the functions: an exception does not end them, and the end of the server does.

MiniStack ends a function's process after an exception, so that every retry is a cold start of seconds. On AWS the
process goes on with what its globals hold. And at SIGTERM MiniStack first waits for all connections that clients keep
open, of which our functions have some.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import lambda_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

# What the program in a function's process says of an exception, and what it says instead: MiniStack ends the process
# of every answer whose status is "error".
OF_EXCEPTION = '{"status": "error", "error": str(e), "trace"'
MENDED = '{"status": "ok", "raised": str(e), "trace"'

invoke = lambda_runtime.Worker.invoke
handle_lifespan = app._handle_lifespan


def mend() -> None:
    """Put the mends in place. Raises LookupError where MiniStack's program is not the one we know."""
    program = lambda_runtime._PYTHON_WORKER_SCRIPT
    if program.count(OF_EXCEPTION) != 1:
        raise LookupError("this MiniStack runs functions by another program")
    lambda_runtime._PYTHON_WORKER_SCRIPT = program.replace(OF_EXCEPTION, MENDED)
    lambda_runtime.Worker.invoke = _invoke
    app._handle_lifespan = _handle_lifespan


def _invoke(worker: object, *what: object, **more: object) -> dict[str, Any]:
    answer: dict[str, Any] = invoke(worker, *what, **more)
    return {**answer, "status": "error", "error": answer["raised"]} if "raised" in answer else answer


async def _handle_lifespan(scope: object, receive: Callable[..., object], send: Callable[..., object]) -> None:
    """Take the signals over from the HTTP server, which has taken them before it begins its lifespan."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end)
    await handle_lifespan(scope, receive, send)


def _end() -> None:
    """End at once. Nothing is kept from one start to the next, so nothing needs to be put away."""
    for worker in [worker for pool in list(lambda_runtime._workers.values()) for worker in pool]:
        process = worker._proc
        if process is not None:
            process.kill()
            process.wait()
    os._exit(0)
