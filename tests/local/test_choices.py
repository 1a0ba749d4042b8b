from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.choices import LIVE_URL, InvalidChoice, read_choices
from local.stack.start import Api

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_choice_the_sample_goes_to_the_simulated_provider() -> None:
    """Nothing is sent anywhere unless asked for, even with a key in the shell."""
    chosen = read_choices({"FILE": "", "LIVE": "", "API_URL": "", "ANTHROPIC_API_KEY": "sk-ant-1"})
    assert (chosen.file, chosen.api) == (None, None)


def test_live_takes_the_key_to_the_real_api() -> None:
    """And real time passes."""
    chosen = read_choices({"LIVE": "1", "ANTHROPIC_API_KEY": "sk-ant-1"})
    assert chosen.api == Api(LIVE_URL, "sk-ant-1")
    assert chosen.is_remote


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:8080/", "https://llm.test"]
)
def test_another_server_may_be_secure_or_here(url: str) -> None:
    """Plain http stays on this machine, where no wait is real."""
    chosen = read_choices({"API_URL": url})
    assert chosen.api is not None
    assert chosen.api.url == url.rstrip("/")
    assert chosen.is_remote == url.startswith("https")


def test_another_dialect_and_other_parameters_are_handed_to_the_template() -> None:
    """And the dialect's own tutorial is dropped first."""
    chosen = read_choices({"API": "files", "PARAMETERS": "Auth=bearer LineForm=body"})
    assert chosen.parameters == {"BatchApi": "files", "Auth": "bearer", "LineForm": "body"}
    assert [drop.name for drop in chosen.drops] == ["articles.jsonl", "humaneval-164.jsonl"]
    assert [drop.name for drop in read_choices({}).drops] == ["humaneval-164.jsonl"]


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"FILE": "nowhere.jsonl"}, "no such file"),
        ({"LIVE": "1"}, "ANTHROPIC_API_KEY="),
        ({"LIVE": "1", "API_URL": "https://llm.test", "ANTHROPIC_API_KEY": "k"}, "one of the two"),
        ({"API_URL": "http://llm.test"}, "must be https"),
        ({"API_URL": "llm.test"}, "must be https"),
        ({"API": "batches"}, "messages or files"),
        ({"AUTH": "aws", "API": "files"}, "API=messages"),
        ({"AUTH": "aws", "API_URL": "https://llm.test"}, "simulated provider"),
        ({"API": "files", "LIVE": "1", "ANTHROPIC_API_KEY": "k"}, "API_URL"),
        ({"PARAMETERS": "Auth bearer"}, "Auth is not Name=value"),
    ],
)
def test_a_choice_that_cannot_be_followed_is_explained(env: dict[str, str], words: str) -> None:
    """Before anything is built or started."""
    with pytest.raises(InvalidChoice, match=words):
        read_choices(env)


def test_an_empty_file_is_not_waited_for(tmp_path: Path) -> None:
    """Its upload would be ignored, and no message would ever come."""
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InvalidChoice, match="empty"):
        read_choices({"FILE": str(tmp_path / "empty.jsonl")})


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell does not put it in the place of `~` in `make demo FILE=~/mine.jsonl`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.jsonl").write_text("{}\n")
    assert read_choices({"FILE": "~/mine.jsonl"}).file == tmp_path / "mine.jsonl"
