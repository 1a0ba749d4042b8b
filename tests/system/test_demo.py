"""The demo of the README, in each of its forms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CHOICES = {"FILE", "API", "AUTH", "LIVE", "API_URL", "PARAMETERS", "ANTHROPIC_API_KEY"}
STEPS = (
    "$ conveyor drop samples/humaneval-164.jsonl --local\n✓ Checked     164 requests, 0 faults",
    "◆ 162 of 164 requests of humaneval-164 were answered. 2 failed",
    "checksums match",
)


@pytest.fixture
def fresh_provider() -> None:
    """Deploy no stack, since the demo deploys its own."""


@pytest.mark.parametrize("chosen", [{}, {"API": "files"}])
def test_the_demo_shows_a_drop_from_end_to_end_and_a_refusal(chosen: dict[str, str]) -> None:
    """A newcomer sees the commands that they will type. The output is what the README shows, and the demo checks it.

    With AUTH=aws it differs in one parameter (`test_choices.py`), whose runs are those of `test_signed.py`.
    """
    env = {name: value for name, value in os.environ.items() if name not in CHOICES} | chosen
    demo = subprocess.run(
        [sys.executable, "-m", "local.demo"], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for step in STEPS:
        assert step in demo.stdout
    assert "Conveyor: done humaneval-164 (162 answered, 2 failed, $" in demo.stdout
    assert ("Conveyor: done articles (all 2 answered)" in demo.stdout) is ("API" in chosen)
    assert "✗ Not dropped: 8 of 17 lines are invalid\n  Nothing was sent or charged.\n" in demo.stdout
    assert "round 1: 3 lines go again" in demo.stderr
    *_, verdict, page = demo.stdout.splitlines()
    assert "answered" in verdict
    assert (PROJECT / page.removeprefix("Its report, to open in a browser: ")).read_text().startswith("<!doctype html>")
    assert "--stack" not in demo.stdout
