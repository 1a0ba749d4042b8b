"""Downloads that break off, go on, and differ from what they should be."""

import json

import pytest

from conveyor_cli.files.fetch import fetch
from conveyor_cli.files.results import result_lines
from conveyor_cli.runs.find import find_run
from conveyor_cli.stacks.chosen import Choice, find
from conveyor_cli.trouble import Trouble
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.fetched import RANGE, files_in, large_run, replace_results
from tests.support.memory_aws.served import Served
from tests.support.peaks import peaks_mb

RESULTS = "results.jsonl"


def parts(desk: Command) -> list[int]:
    """Return the sizes of the files that are not complete."""
    return [len(data) for name, data in files_in(desk.home / "tickets").items() if name.endswith(".part")]


def test_a_download_that_broke_off_goes_on(desk: Command, belt: Belt, aws: Served) -> None:
    """What has arrived is kept; it is not fetched again, and all of it is verified."""
    _, data = large_run(belt, 3 * RANGE)
    aws.cut_at(RESULTS, 2 * RANGE + 1000)
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, ran.out, parts(desk)) == (8, "", [2 * RANGE])
    assert ran.error.endswith(
        "✗ The download broke off after 8.4 of 12.6 MB\n"
        "  AWS does not answer. Asked its endpoint: check the network, the proxy, and the name of the Region. "
        "Nothing was changed; runs go on without you.\n"
        "  What has arrived is kept: the same command goes on where it stopped.\n"
        "    conveyor fetch tickets\n"
    )
    aws.reset()
    ran = desk.call("fetch", "tickets")
    assert ran.exit == 0
    assert "  results.jsonl resumed at 8.4 MB\n" in ran.error
    assert aws.asked["GET"] == 5, "the run, twice the receipt, the page, and one range of the results"
    assert files_in(desk.home / "tickets")[RESULTS] == data
    assert parts(desk) == []


def test_two_commands_at_once_make_one_whole_file(desk: Command, belt: Belt, aws: Served) -> None:
    """What another command has written meanwhile is written again, at the same place; nothing is behind it."""
    _, data = large_run(belt, 3 * RANGE)

    def another() -> None:
        for part in (desk.home / "tickets").glob("results.jsonl.*.part"):
            with part.open("ab") as file:
                file.write(b"x" * 2 * RANGE)

    aws.reactions["GET"] = another
    assert desk.call("fetch", "tickets").exit == 0
    assert files_in(desk.home / "tickets")[RESULTS] == data


def test_an_object_that_was_replaced_in_between_begins_anew(desk: Command, belt: Belt, aws: Served) -> None:
    """Bytes of two contents never come into one file."""
    run, data = large_run(belt, 3 * RANGE)
    aws.cut_at(RESULTS, 2 * RANGE + 1000)
    desk.call("fetch", "tickets")
    aws.reset()
    new = data.replace(b"a" * 10, b"b" * 10)
    replace_results(belt, run, new)
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, "resumed" in ran.error) == (0, False)
    assert files_in(desk.home / "tickets")[RESULTS] == new
    assert parts(desk) == []


def test_an_object_that_is_replaced_under_way(desk: Command, belt: Belt, aws: Served) -> None:
    """S3 is asked for the same content each time, and refuses."""
    large_run(belt, 3 * RANGE)
    aws.refuse_at(RESULTS, 412, "PreconditionFailed")
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, ran.out) == (8, "")
    assert "✗ results.jsonl was replaced while it was fetched\n  The same command fetches the new one.\n" in ran.error


def test_a_file_that_does_not_match_is_kept_under_another_name(desk: Command, belt: Belt) -> None:
    """It never has the name of the results."""
    run, data = large_run(belt, 10_000)
    key = f"results/support/tickets/{run}/{RESULTS}"
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data.replace(b"aaaa", b"aaab"))
    ran = desk.call("fetch", "tickets", "--json")
    assert (ran.exit, ran.out) == (8, "")
    error = json.loads(ran.error)["error"]
    assert error["code"] == "checksum"
    assert error["message"].startswith("results.jsonl does not match the receipt (sha256 ")
    assert error["message"].endswith("the file was kept as results.jsonl.bad. The same command fetches it again.")
    assert set(files_in(desk.home / "tickets")) == {"results.jsonl.bad", "receipt.json"}
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data)
    assert desk.call("fetch", "tickets").exit == 0
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data[:-1])
    short = desk.call("fetch", "tickets", "--to", "short")
    assert f"({len(data):,} bytes expected, {len(data) - 1:,} found)" in short.error


def test_a_full_disk(desk: Command, belt: Belt) -> None:
    """`/dev/full` has no room. Once there is some, the same command goes on."""
    run, data = large_run(belt, 10_000)
    etag = belt.s3.head_object(Bucket=belt.bucket, Key=f"results/support/tickets/{run}/{RESULTS}")["ETag"].strip('"')
    folder = desk.home / "tickets"
    folder.mkdir()
    part = folder / f"{RESULTS}.{etag[:12]}.part"
    part.symlink_to("/dev/full")
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, ran.out) == (8, "")
    assert f"✗ The disk is full: tickets/{part.name}\n  Make room, or choose another folder with --to." in ran.error
    part.unlink()
    assert desk.call("fetch", "tickets").exit == 0
    assert files_in(folder)[RESULTS] == data


@pytest.mark.slow
def test_a_file_that_may_not_grow(desk: Command, belt: Belt) -> None:
    """What fits is kept, and the rest follows once the limit is gone."""
    _, data = large_run(belt, 3 * RANGE)
    ran = desk.limited(RANGE + 1000, "fetch", "tickets")
    assert ran.exit == 8
    assert "✗ The file is larger than this disk or your limits allow: tickets/results.jsonl." in ran.error
    ran = desk.call("fetch", "tickets")
    assert "  results.jsonl resumed at 4.2 MB\n" in ran.error
    assert files_in(desk.home / "tickets")[RESULTS] == data


def test_a_folder_that_cannot_be_made(desk: Command, belt: Belt) -> None:
    """The reason is the system's."""
    large_run(belt, 10_000)
    (desk.home / "taken").write_text("x")
    ran = desk.call("fetch", "tickets", "--to", "taken/november")
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error == ("✗ taken/november cannot be written (not a directory)\n  Choose another folder with --to.\n")


@pytest.mark.slow
def test_ctrl_c_leaves_what_has_arrived(desk: Command, belt: Belt, aws: Served) -> None:
    """The command ends at once, and says that the same command goes on."""
    _, data = large_run(belt, 3 * RANGE)
    aws.stall_at(RESULTS, 2 * RANGE)
    try:
        ran = desk.interrupted(aws.stalled, "fetch", "tickets")
    finally:
        aws.goes_on.set()
    assert (ran.exit, ran.out) == (130, "")
    assert ran.error.endswith("  Left. What has arrived is kept: the same command goes on where it stopped.\n")
    aws.reset()
    assert desk.call("fetch", "tickets").exit == 0
    assert files_in(desk.home / "tickets")[RESULTS] == data


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(desk: Command, belt: Belt) -> None:
    """Six ranges are read at a time, and each is copied a few times on its way."""
    (few, _), (many, data) = large_run(belt, 1_000_000), large_run(belt, 24 * RANGE, requests=3)
    small, large = peaks_mb(desk.home, *(["fetch", run, "--to", run] for run in (few, many)), env=desk.env)
    assert (desk.home / many / RESULTS).stat().st_size == len(data)
    assert large - small < 80, "of 100 MB"


@pytest.mark.slow
def test_a_terminal_has_one_bar_for_all_files(desk: Command, belt: Belt) -> None:
    """It is gone at the end, and has no characters that a terminal may not have."""
    large_run(belt, 3 * RANGE)
    ran = desk.call_in_terminal("fetch", "tickets")
    assert ran.exit == 0
    assert "━" in ran.out
    assert ran.plain.splitlines()[-1].startswith("  report.html ")
    ascii_only = desk.call_in_terminal("fetch", "tickets", "--to", "again", "--ascii")
    assert "####" in ascii_only.out
    assert ascii_only.out.isascii()


def test_lines_without_a_file(desk: Command, belt: Belt) -> None:
    """A notebook reads them as they come. They are compared with the receipt, as files are."""
    run, data = large_run(belt, 2 * RANGE)
    with desk.environment():
        stack = find(Choice())
        fact = find_run(stack.bucket, run)
        assert b"".join(result_lines(stack, fact)) == data
        assert all(line.endswith(b"}\n") for line in result_lines(stack, fact))
        assert list(result_lines(stack, fact, "failures.jsonl")) == []
        assert list(result_lines(stack, fact, "retry.jsonl")) == []
        key = f"results/support/tickets/{run}/{RESULTS}"
        belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data.replace(b"aaaa", b"aaab"))
        with pytest.raises(Trouble, match="does not match the receipt"):
            list(result_lines(stack, fact))
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
        with pytest.raises(Trouble, match="does not exist"):
            list(result_lines(stack, fact))
        going = find_run(stack.bucket, belt.upload(drop_of(2), "inbox/going.jsonl"))
        with pytest.raises(Trouble, match="has not ended"):
            list(result_lines(stack, going))
        with pytest.raises(Trouble, match="has not ended"):
            fetch(stack, going, desk.home / "going")
