"""The processes that run the functions: they survive an exception, and end with the server.

MiniStack ends a function's process after an exception, so that every retry is a cold start of seconds. On AWS the
process and its globals are reused. At SIGTERM, MiniStack first waits for all connections that clients keep open, such
as those of our functions.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import lambda_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

# MiniStack ends the process after every answer whose status is "error".
EXCEPTION_ANSWER = '{"status": "error", "error": str(e), "trace"'
PATCHED_ANSWER = '{"status": "ok", "raised": str(e), "trace"'

invoke = lambda_runtime.Worker.invoke
handle_lifespan = app._handle_lifespan


def patch() -> None:
    """Apply the patches. Raises LookupError if this MiniStack is not the version they are for."""
    program = lambda_runtime._PYTHON_WORKER_SCRIPT
    if program.count(EXCEPTION_ANSWER) != 1:
        raise LookupError("the Lambda worker of this MiniStack version is not the one that our patch is for")
    lambda_runtime._PYTHON_WORKER_SCRIPT = program.replace(EXCEPTION_ANSWER, PATCHED_ANSWER)
    lambda_runtime.Worker.invoke = _invoke
    app._handle_lifespan = _handle_lifespan


def _invoke(worker: object, *args: object, **kwargs: object) -> dict[str, Any]:
    answer: dict[str, Any] = invoke(worker, *args, **kwargs)
    return {**answer, "status": "error", "error": answer["raised"]} if "raised" in answer else answer


async def _handle_lifespan(scope: object, receive: Callable[..., object], send: Callable[..., object]) -> None:
    """Handle the signals instead of the HTTP server, which installs its handlers before its lifespan starts."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _exit)
    await handle_lifespan(scope, receive, send)


def _exit() -> None:
    """Exit at once. Nothing is stored between two starts, so there is nothing to clean up."""
    for worker in [worker for pool in list(lambda_runtime._workers.values()) for worker in pool]:
        process = worker._proc
        if process is not None:
            process.kill()
            process.wait()
    os._exit(0)
