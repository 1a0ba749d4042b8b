"""The command as a program that the demo starts: its output, its exit code, and its end."""

from __future__ import annotations

import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from local.demo.command import conveyor
from local.process import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def silent_aws() -> Iterator[socket.socket]:
    """Accept connections, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def url_of(server: socket.socket) -> str:
    """Return the address of a server."""
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def stack_at(url: str, work: Path) -> Any:
    """Return a stack whose AWS is there."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": url}
    keys["AWS_DEFAULT_REGION"] = "us-east-1"
    return SimpleNamespace(aws=SimpleNamespace(env=keys), work=work, describe=lambda: "as it was")


def test_it_is_shown_as_it_is_typed_and_its_output_is_ours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its exit code is returned."""
    code = conveyor(stack_at("http://127.0.0.1:9", tmp_path), Console(file=sys.stdout), 60, "watch", "it's")
    said = capfd.readouterr()
    assert said.out.startswith("$ conveyor watch 'it'\"'\"'s' --local\n")
    assert said.err.startswith("✗ AWS does not answer\n")
    assert code == 8


def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """The state of the stack is in the error."""
    with silent_aws() as server, pytest.raises(TimeoutError, match=r"no end within 0\.5 s\nas it was"):
        conveyor(stack_at(url_of(server), tmp_path), Console(), 0.5, "runs")


def test_ctrl_c_leaves_no_command_behind(tmp_path: Path) -> None:
    """Its connection is closed."""
    with silent_aws() as server, ThreadPoolExecutor(1) as other:

        def interrupt() -> socket.socket:
            connection, _ = server.accept()
            os.kill(os.getpid(), signal.SIGINT)
            return connection

        with interruptible():
            accepted = other.submit(interrupt)
            with pytest.raises(KeyboardInterrupt):
                conveyor(stack_at(url_of(server), tmp_path), Console(), 60, "runs")
        with accepted.result() as connection:
            connection.settimeout(10)
            while connection.recv(65536):
                pass
