"""The choice of the Python for the environments, and what the checkout leaves unchanged."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
FIND = PROJECT / "requirements" / "python"


def find(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the search for a Python with only this folder on the PATH."""
    path = {"PATH": str(folder)}
    return subprocess.run([FIND], env=path, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("tool", ["pyenv", "uv"])
def test_a_python_of_a_version_manager_is_found(tool: str, tmp_path: Path) -> None:
    """It is found even if another version is the active one."""
    prefix = tmp_path / "versions" / "3.13"
    (prefix / "bin").mkdir(parents=True)
    python = prefix / "bin" / "python3.13"
    python.symlink_to(sys.executable)
    told = prefix if tool == "pyenv" else python
    (tmp_path / tool).write_text(f"#!/bin/sh\necho {told}\n")
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    for name in (tool, "python3"):
        (tmp_path / name).chmod(0o700)
    assert find(tmp_path).stdout == f"{python}\n"


def test_where_there_is_no_python_it_says_what_to_install(tmp_path: Path) -> None:
    """The command also fails."""
    found = find(tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert "Python 3.13 is needed" in found.stderr


def test_the_checkout_chooses_no_python_for_other_tools() -> None:
    """With a `.python-version`, pyenv hides commands of other versions here, such as an installed `aws`."""
    assert not (PROJECT / ".python-version").exists()
