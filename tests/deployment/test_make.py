"""What is typed behind `make deploy` and `make kept-bucket` arrives as it was typed; the shell runs nothing of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.deploying import MAKE

PROJECT = Path(__file__).parents[2]
*_MAKE, _ = MAKE
_SHOW = "import json, sys; print(json.dumps(sys.argv[1:]))"
ODD = ["o'brien@example.com", "a$b@example.com", "$(id)", "`id`", '"; id; "', "$HOME", "a;id", "ä b", "x\\'y"]


def arrives(folder: Path, *typed: str, env: dict[str, str] | None = None) -> list[str]:
    """Return the arguments of the program that make calls."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{_SHOW}" "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(  # noqa: S603 - make, and what a test types behind it
        [*_MAKE, f"TOOLS={program}", *typed],
        cwd=PROJECT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    arguments: list[str] = json.loads(done.stdout)
    return arguments


@pytest.mark.parametrize("odd", ODD)
def test_each_variable_arrives_as_it_was_typed(odd: str, tmp_path: Path) -> None:
    """Make does not read the dollar sign, nor the shell the quotation mark."""
    options = {"STACK": "--stack", "EMAIL": "--email", "PARAMETERS": "--parameter", "SETTINGS": "--settings"}
    typed = [f"{name}={odd}" for name in options]
    assert arrives(tmp_path, "deploy", *typed)[2:] == [f"{option}={odd}" for option in options.values()]
    architecture = arrives(tmp_path, "deploy", f"ARCHITECTURE={odd}")
    assert architecture[2:] == [f"--parameter=Architecture={odd}"]
    assert arrives(tmp_path, "kept-bucket", f"STACK={odd}", f"BUCKET={odd}")[-2:] == [odd, odd]


def test_variables_of_the_shell_do_not_count(tmp_path: Path) -> None:
    """A build server may have an ARCHITECTURE of its own, and another processor would replace all functions."""
    names = ("STACK", "EMAIL", "ARCHITECTURE", "DOCTOR", "YES", "ACCEPT_LOSS", "BUCKET", "SETTINGS")
    of_shell = dict.fromkeys(names, "no")
    assert arrives(tmp_path, "deploy", env=of_shell) == ["-m", "deployment"]
    assert arrives(tmp_path, "kept-bucket", env=of_shell)[-2:] == ["", ""]
    assert arrives(tmp_path, "deploy", "DOCTOR=no", "YES=1") == ["-m", "deployment", "--yes", "--no-doctor"]
