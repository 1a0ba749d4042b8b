"""What may be chosen on the command line of the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.choices import LIVE_URL, InvalidChoice, read_choices
from local.stack.start import Api

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_choice_the_sample_goes_to_the_simulated_provider() -> None:
    """Nothing is sent to a real API by default, even with a key in the shell."""
    choices = read_choices({"FILE": "", "LIVE": "", "API_URL": "", "ANTHROPIC_API_KEY": "sk-ant-1"})
    assert (choices.file, choices.api) == (None, None)


def test_live_uses_the_real_api_with_the_key() -> None:
    """Its waits are real."""
    choices = read_choices({"LIVE": "1", "ANTHROPIC_API_KEY": "sk-ant-1"})
    assert choices.api == Api(LIVE_URL, "sk-ant-1")
    assert choices.is_remote


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:8080/", "https://llm.test"]
)
def test_another_server_may_be_secure_or_here(url: str) -> None:
    """http:// is accepted for this machine only, where waits are short."""
    choices = read_choices({"API_URL": url})
    assert choices.api is not None
    assert choices.api.url == url.rstrip("/")
    assert choices.is_remote == url.startswith("https")


def test_another_api_and_other_parameters_are_passed_to_the_template() -> None:
    """The sample of the API's tutorial is dropped first."""
    choices = read_choices({"API": "files-openai", "PARAMETERS": "Auth=bearer Tuning=poll-min-seconds=1"})
    assert choices.parameters == {"BatchApi": "files-openai", "Auth": "bearer", "Tuning": "poll-min-seconds=1"}
    assert [drop.name for drop in read_choices({"API": "files"}).drops] == ["articles.jsonl", "humaneval-164.jsonl"]
    assert [drop.name for drop in choices.drops] == ["humaneval-164.jsonl"]
    assert [drop.name for drop in read_choices({}).drops] == ["humaneval-164.jsonl"]
    assert read_choices({"AUTH": "aws"}).parameters == {"BatchApi": "messages", "Auth": "aws"}


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"FILE": "nowhere.jsonl"}, "no such file"),
        ({"LIVE": "1"}, "ANTHROPIC_API_KEY="),
        ({"LIVE": "1", "API_URL": "https://llm.test", "ANTHROPIC_API_KEY": "k"}, "one of the two"),
        ({"API_URL": "http://llm.test"}, "must be https"),
        ({"API_URL": "llm.test"}, "must be https"),
        ({"API": "batches"}, "use one of messages, files, files-openai"),
        ({"AUTH": "aws", "API": "files"}, "API=messages"),
        ({"AUTH": "aws", "API_URL": "https://llm.test"}, "simulated provider"),
        ({"API": "files", "LIVE": "1", "ANTHROPIC_API_KEY": "k"}, "API_URL"),
        ({"PARAMETERS": "Auth bearer"}, "Auth is not Name=value"),
    ],
)
def test_an_invalid_choice_is_explained(env: dict[str, str], message: str) -> None:
    """Before anything is built or started."""
    with pytest.raises(InvalidChoice, match=message):
        read_choices(env)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """Its upload would be ignored, and no message would come."""
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InvalidChoice, match="empty"):
        read_choices({"FILE": str(tmp_path / "empty.jsonl")})


def test_the_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell does not expand `~` in `make demo FILE=~/mine.jsonl`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.jsonl").write_text("{}\n")
    assert read_choices({"FILE": "~/mine.jsonl"}).file == tmp_path / "mine.jsonl"
