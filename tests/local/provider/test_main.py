"""`python -m local.provider`: it prints one line when it is ready, logs to stderr, and exits promptly."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.provider_clients.messages import BATCHES, MessagesClient

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_serves_and_exits_promptly(number: signal.Signals) -> None:
    """With status 0 and one line on stdout, even during a call that takes ten minutes."""
    fault = {"call": "list", "do": {"kind": "delay", "seconds": 600}}
    settings = json.dumps({"seconds": 0, "faults": [fault]})
    command = [sys.executable, "-m", "local.provider", "--settings", settings]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            with MessagesClient(url, "any key") as client:
                assert client.results_by_id(client.create(2).json()["id"]).keys() == {"r-1", "r-2"}
                with pytest.raises(httpx.ReadTimeout):
                    client.get(BATCHES, timeout=0.1)
                process.send_signal(number)
                start = time.monotonic()
                out, log = process.communicate(timeout=60)
        finally:
            process.kill()
    assert time.monotonic() - start < 60
    assert (process.returncode, out) == (0, b"")
    assert b"POST /v1/messages/batches" in log


def test_wrong_settings_end_the_process_with_their_name() -> None:
    """A usage error, before the server starts."""
    command = [sys.executable, "-m", "local.provider", "--settings", '{"second": 1}']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=20)  # noqa: S603
    assert done.returncode == 2
    assert b"second" in done.stderr
