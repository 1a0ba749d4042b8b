"""Uploads of `conveyor drop`: what was checked is what arrives, or nothing does."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from conveyor_cli.drops.check import check
from conveyor_cli.drops.drop import drop_file, upload
from conveyor_cli.drops.file import LocalFile, Sent
from conveyor_cli.drops.options import Options
from conveyor_cli.stacks.chosen import Choice, ChosenStack, find_deployed
from conveyor_cli.trouble import Trouble
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.desk_drops import Reaction, large_drop
from tests.support.memory_aws.served import Served


@pytest.fixture
def stack(conveyor: Command, reaction: Reaction, monkeypatch: pytest.MonkeyPatch) -> ChosenStack:
    """Return the stack as a notebook finds it."""
    assert reaction.runs == []
    for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "HOME"):
        monkeypatch.setenv(name, conveyor.env[name])
    return find_deployed(Choice())


def test_a_file_is_dropped_from_python(stack: ChosenStack, reaction: Reaction, belt: Belt, tmp_path: Path) -> None:
    """Nothing is written to a screen; the progress is told."""
    path, told, data = tmp_path / "tickets.jsonl", list[int](), large_drop()
    path.write_bytes(data)
    dropped = drop_file(stack, path, Options(project="support", hold=True), told.append)
    assert [dropped.run.run] == reaction.runs
    assert (dropped.key, dropped.refusal) == ("inbox/support/tickets.jsonl", None)
    assert belt.read(dropped.key) == data
    assert belt.s3.head_object(Bucket=belt.bucket, Key=dropped.key)["VersionId"] == dropped.version
    assert dropped.run.drop.metadata == {"project": "support", "hold": "always"}
    assert sum(told) == 2 * len(data), "read once, and sent once"


@pytest.mark.parametrize("drop", [partial(drop_of, 3), large_drop], ids=["whole", "in parts"])
def test_a_file_that_changes_after_it_was_checked_does_not_arrive(
    stack: ChosenStack, belt: Belt, tmp_path: Path, drop: Callable[[], bytes]
) -> None:
    """Also where its size and its time are the same: its bytes are compared before the upload ends."""
    path, data = tmp_path / "tickets.jsonl", drop()
    path.write_bytes(data)
    checked = check(stack, path, Options())
    path.write_bytes(data + b"\n")
    with pytest.raises(Trouble, match="is not the file any more that was checked"):
        upload(stack, checked)
    was = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    checked = check(stack, path, Options())
    path.write_bytes(data.replace(b"r-1", b"r-9", 1))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(Trouble, match="is not the file any more that was checked"):
        upload(stack, checked)
    assert belt.stored("inbox/") == []
    assert belt.s3.list_multipart_uploads(Bucket=belt.bucket).get("Uploads", []) == []


@pytest.mark.parametrize("later", [b"", drop_of(2), drop_of(3) + b"more"], ids=["empty", "shorter", "longer"])
def test_a_file_that_is_cut_or_grows_while_it_is_sent_is_noticed(tmp_path: Path, later: bytes) -> None:
    """The last bytes are not given away."""
    path = tmp_path / "tickets.jsonl"
    path.write_bytes(drop_of(3))
    file = LocalFile(path, 1_000_000)
    for _ in file.chunks():
        pass
    path.write_bytes(later)
    with Sent(file) as stream, pytest.raises(Trouble, match="is not the file any more"):
        list(iter(lambda: stream.read(100), b""))


def test_an_upload_that_breaks_off_leaves_nothing(
    conveyor: Command, aws: Served, reaction: Reaction, belt: Belt
) -> None:
    """Nothing runs, and the same command starts again."""
    (conveyor.home / "tickets.jsonl").write_bytes(large_drop())
    aws.refuse("PUT", 400, "RequestTimeout")
    ran = conveyor.call("drop", "tickets.jsonl")
    assert (ran.exit, belt.stored("inbox/"), reaction.runs) == (8, [], [])
    assert "✗ tickets.jsonl was not uploaded: AWS answers UploadPart with RequestTimeout (HTTP 400)\n" in ran.error
    assert "No run begins, and nothing is charged. The same command starts again." in ran.error
    assert belt.s3.list_multipart_uploads(Bucket=belt.bucket).get("Uploads", []) == []
    aws.refusals.clear()
    assert conveyor.call("drop", "tickets.jsonl").exit == 0


@pytest.mark.slow
def test_ctrl_c_breaks_an_upload_off(conveyor: Command, aws: Served, reaction: Reaction, belt: Belt) -> None:
    """Its parts are removed; nothing runs."""
    (conveyor.home / "tickets.jsonl").write_bytes(large_drop())
    aws.stall("PUT", seconds=2)  # what is on its way at Ctrl-C arrives before the parts are removed
    ran = conveyor.interrupted(aws.stalled, "drop", "tickets.jsonl")
    assert (ran.exit, belt.stored("inbox/"), reaction.runs) == (130, [], [])
    assert "Started" not in ran.out
    assert belt.s3.list_multipart_uploads(Bucket=belt.bucket).get("Uploads", []) == []


@pytest.mark.slow
def test_a_terminal_shows_a_bar_and_keeps_the_steps(conveyor: Command, reaction: Reaction) -> None:
    """The bar is gone at the end; the seconds stand at the right edge."""
    (conveyor.home / "tickets.jsonl").write_bytes(large_drop())
    ran = conveyor.call_in_terminal("drop", "tickets.jsonl", columns=80)
    assert (ran.exit, len(reaction.runs)) == (0, 1)
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", ran.out)
    steps = re.findall(r"✓ .*", written)
    assert [step.split()[1] for step in steps] == ["Checked", "Estimated", "Uploaded", "Started"]
    assert {len(step) for step in steps if step.endswith(" s")} == {80}
