"""Reading several facts at a time, in a process that has read none before."""

import subprocess
import sys

import pytest

from tests.support.command import PROJECT, SOURCES

SCRIPT = """
import importlib, os, sys, threading
import msgspec
from conveyor.ledger.run_facts import Run
from tests.support.examples import RUN

importlib.import_module(sys.argv[1])

data = msgspec.json.Encoder(decimal_format="number").encode(RUN)
sys.setswitchinterval(1e-6)

def child():
    barrier = threading.Barrier(16)
    def read():
        barrier.wait()
        msgspec.json.decode(data, type=Run)
    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)

for _ in range(60):
    pid = os.fork() or child()
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"a child ended with {status}")
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["conveyor.ledger.ledger", "conveyor_cli.runs.read"])
def test_threads_that_are_the_first_to_read_a_fact_do_not_crash(module: str) -> None:
    """The library msgspec crashes where two threads are the first to decode a type, so types are learned before."""
    env = {"PYTHONPATH": f"{PROJECT}:{SOURCES}", "PATH": ""}
    asked = [sys.executable, "-c", SCRIPT, module]
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
