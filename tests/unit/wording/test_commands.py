"""Commands in messages, as shells split them."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conveyor.wording import commands

SHELLS = ["sh", "bash"]
SPLIT = 'aws() { printf "%s\\0" "$@"; }; '
KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


def split(shell: str, command: str) -> list[str]:
    """Split a command with a real shell; return the words after `aws`."""
    done = subprocess.run([shell, "-c", SPLIT + command], capture_output=True, check=True)  # noqa: S603
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=30)
@given(KEYS)
@example("-x y")
@example("two\nlines\n")
@example("%s \\n \\\\ 100%%\t")
@example("\x1b[2J\u202e'\"`$(id)$HOME")
def test_any_key_is_one_word_of_any_shell(shell: str, key: str) -> None:
    """A key is never executed: uploaders choose it, and a person copies the command into a terminal."""
    drop = commands.Version("bucket", f"inbox/{key}.jsonl", "v.1", 9)
    words = split(shell, commands.drop_version(drop, "name", {"on-invalid": "skip"}))
    assert words[:6] == ["s3api", "copy-object", "--bucket", "bucket", "--key", drop.key]
    assert words[6:8] == ["--copy-source", f"bucket/{drop.key}?versionId=v.1"]
    file = split(shell, commands.drop_file(drop, "name", {"on-invalid": "skip"}))
    assert file[3:] == [f"s3://bucket/{drop.key}", "--metadata", "on-invalid=skip"]
    assert file[2].removeprefix("./") == drop.key.rpartition("/")[2].removeprefix("./")
    assert not file[2].startswith("-")


@given(KEYS)
def test_a_command_is_one_line_of_characters_that_can_be_seen(key: str) -> None:
    """Mail does not break it, a terminal does not interpret it, and SQS accepts it."""
    drop = commands.Version("bucket", f"inbox/{key}.jsonl", "v", 9)
    assert commands.drop_version(drop, "name", {}).isprintable()
    assert commands.drop_file(drop, "name", {}).isprintable()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_value_with_a_comma_is_written_as_json(shell: str) -> None:
    """AWS CLI reads `name=a,b` as a list."""
    drop = commands.Version("bucket", "inbox/a.jsonl", "v", 9)
    words = split(shell, commands.drop_file(drop, "a", {"betas": "a-1,b-2", "on-invalid": "skip"}))
    assert words[-2:] == ["--metadata", '{"betas": "a-1,b-2", "on-invalid": "skip"}']


def test_a_file_too_large_for_one_copy_is_uploaded_from_its_source() -> None:
    """S3 copies at most 5 GB."""
    drop = commands.Version("bucket", "inbox/a.jsonl", "v", 5 * 1024**3 + 1)
    command = commands.drop_again(drop, "a", "unsent", commands.carried({"again": "yes"}, "run-1"))
    assert command == "aws s3 cp a.jsonl s3://bucket/inbox/a.jsonl --metadata again=run-1"


def test_what_was_uploaded_as_a_folder_gets_a_name() -> None:
    """A program may create a folder as an object with content."""
    drop = commands.Version("bucket", "inbox/april/", "v", 9)
    assert commands.drop_file(drop, "april_", {}) == ("aws s3 cp requests.jsonl s3://bucket/inbox/april/requests.jsonl")
