"""A folder with the files of a run, and the command as it is typed beside it."""

from pathlib import Path

import pytest

from tests.cli.answers.answered import Answered


@pytest.fixture
def answered(tmp_path: Path) -> Answered:
    """Return a folder without files yet."""
    return Answered(tmp_path)
