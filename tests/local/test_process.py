"""Child processes: started, watched and ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from local.process import ProcessFailed, interruptible, run, running, signals_deferred

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# A child that starts another child, and prints its process id.
FAMILY = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""

# A child that ends slowly, and prints when it is ready to be ended.
SLOW = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.6), sys.exit(7)))
print("ready", flush=True)
time.sleep(600)
"""


def test_a_child_is_ended_with_its_children(tmp_path: Path) -> None:
    """Such as the workers of the local AWS."""
    command = [sys.executable, "-c", FAMILY]
    with running(command, env={}, log=tmp_path / "log", pipe_stdout=True) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
    assert child.returncode == -signal.SIGTERM
    assert ends(grandchild)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_child_and_a_second_one_does_not_interrupt_that(
    tmp_path: Path, number: signal.Signals
) -> None:
    """For Ctrl-C and `kill`: make passes both on a second time."""
    again = threading.Timer(0.2, os.kill, (os.getpid(), number))
    children: list[subprocess.Popen[bytes]] = []

    def interrupted() -> None:
        with running([sys.executable, "-c", SLOW], env={}, log=tmp_path / "log", pipe_stdout=True) as child:
            children.append(child)
            assert child.stdout is not None
            child.stdout.readline()
            again.start()
            signal.raise_signal(number)

    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        again.join()
    assert [child.returncode for child in children] == [7]


def test_a_signal_is_deferred_to_the_end_of_the_block() -> None:
    """So the process id of a child that was started is always known."""
    reached = []

    def interrupted() -> None:
        with signals_deferred():
            signal.raise_signal(signal.SIGTERM)
            reached.append("the end of the block")

    with interruptible(), pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """The output of pip or SAM explains the failure."""
    with pytest.raises(ProcessFailed, match=r"ended with 3:\nno such wheel"):
        run([sys.executable, "-c", "print('no such wheel'); exit(3)"], env={}, log=tmp_path / "log")


def ends(process: int) -> bool:
    """Wait for the end of a process that is not our child."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
