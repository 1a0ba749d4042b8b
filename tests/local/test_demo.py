from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from conveyor.domain.status import STATUSES
from local.choices import LIVE_URL, InvalidChoice, read_choices
from local.demo.outcome import Outcome, failed_checks
from local.demo.output import REMOTE_NOTICE
from local.stack.messages import NON_FINAL_STATUSES, Message
from local.stack.start import Api

if TYPE_CHECKING:
    from pathlib import Path

DROP = b'\xef\xbb\xbf{"custom_id": "b"}\n\n{"custom_id": "a"}\n{"custom_id": "c"}'
RECEIPT = {"requests": 3, "results": 2, "failures": 1}


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


def test_a_message_about_a_run_that_goes_on_is_not_its_end() -> None:
    """The statuses that the demo waits beyond are those that are not final."""
    assert sorted(NON_FINAL_STATUSES) == sorted(status for status, about in STATUSES.items() if not about.is_final)
    assert not Message("", "", {"status": "troubled"}).is_final
    assert Message("", "", {"status": "completed"}).is_final


def test_live_says_that_it_has_to_stay_open() -> None:
    """And that what it leaves behind is not lost."""
    assert "Leave it running" in REMOTE_NOTICE
    assert "fetch their results" in REMOTE_NOTICE


def test_a_kept_promise_is_not_complained_about() -> None:
    """Order of the drop, its ids, its count."""
    assert list(failed_checks(DROP, ended(["b", "c"], {3: "a"}), {3: "errored"})) == []


@pytest.mark.parametrize(
    ("results", "failures", "words"),
    [
        (["c", "b"], {3: "a"}, "results are not in the order"),
        (["b", "c"], {}, "are not the 3 requests"),
        (["b", "x"], {3: "a"}, "custom_ids that came back"),
        (["b", "c"], {4: "a"}, "lines that failed"),
        (["b"], {3: "a", 4: "c"}, "counts in the receipt differ"),
    ],
)
def test_a_broken_promise_is_named(results: list[str], failures: dict[int, str], words: str) -> None:
    """The demo would end well otherwise, whatever came back."""
    assert any(words in sentence for sentence in failed_checks(DROP, ended(results, failures), {3: "errored"}))


@pytest.mark.parametrize(
    "drop", [gzip.compress(DROP, mtime=0), b'[{"custom_id": "b"}]', b"\xff\xfe", DROP + b"\nno JSON", b"\x1f\x8b"]
)
def test_a_drop_whose_ids_cannot_be_read_here_is_held_by_its_counts(drop: bytes) -> None:
    """One that is packed can."""
    kept, short = (list(failed_checks(drop, ended(results, {3: "a"}))) for results in (["b", "c"], ["b"]))
    assert kept == []
    assert "the counts in the receipt differ from those of the files" in short


def ended(results: list[str], failures: dict[int, str]) -> Outcome:
    """Make up an ended run; `failures` are ids by line."""

    def file(lines: list[dict[str, Any]]) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    files = {
        "results/x/run/receipt.json": json.dumps(RECEIPT).encode(),
        "results/x/run/results.jsonl": file([{"custom_id": each, "response": {}, "error": None} for each in results]),
        "failures/x/run/failures.jsonl": file(
            [{"custom_id": each, "line": line, "outcome": "errored"} for line, each in failures.items()],
        ),
    }
    return Outcome(Message("", "", {"status": "completed"}), files)
