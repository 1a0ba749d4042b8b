"""The file of a stack is written whole or not at all, in a form that is read again, whatever was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment.settings import file
from deployment.settings.file import Kept
from deployment.settings.template import read
from deployment.trouble import Trouble
from tests.support import template

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = read(template.SOURCE)


@given(st.text(st.characters(exclude_categories=["Cs", "Z"], exclude_characters="@"), min_size=1, max_size=20))
def test_any_text_is_read_again(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Control characters and quotation marks, too: it stays one value."""
    if not name.strip():
        return
    path = tmp_path_factory.mktemp("settings") / "conveyor.toml"
    kept = Kept("eu-central-1", "123456789012", {"NotificationEmail": f"{name}@example.com"})
    if TEMPLATE.faults(kept.parameters):
        return
    file.write(path, "conveyor", kept)
    assert file.read(path, TEMPLATE) == kept


def test_bytes_that_are_no_text_leave_no_file(tmp_path: Path) -> None:
    """A terminal with another encoding: an empty file would stand for a stack with defaults."""
    path = tmp_path / "conveyor.toml"
    with pytest.raises(Trouble, match="not in UTF-8"):
        file.write(path, "conveyor", Kept("", "", {"NotificationEmail": "m\udcfcller@example.com"}))
    assert not path.exists()


def test_a_folder_that_cannot_be_written_to_is_said_in_words(tmp_path: Path) -> None:
    """No traceback, and what to do."""
    (tmp_path / "deployments").write_text("")
    with pytest.raises(Trouble, match="cannot be written"):
        file.write(tmp_path / "deployments" / "conveyor.toml", "conveyor", Kept("", "", {}))
    with pytest.raises(Trouble, match="cannot be read"):
        file.read(tmp_path, TEMPLATE)
