"""`conveyor report`: the page of a run as a file, in the browser, and as data."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_fetch import DENIED, finished
from tests.support.belt import Belt, drop_of
from tests.support.ended_runs import ID, write_ended
from tests.support.fetched import NAME
from tests.support.receipts import EVERY
from tests.support.schemas import validator

if TYPE_CHECKING:
    from tests.support.command import Command
    from tests.support.memory_aws.served import Served

FILE = "tickets-report.html"


def page_of(belt: Belt, run: str) -> bytes:
    """Return the page in the bucket."""
    return belt.read(f"results/support/tickets/{run}/report.html")


def test_the_page_becomes_a_file_that_is_named_after_the_run(desk: Command, belt: Belt) -> None:
    """Byte for byte; the newest run of all is meant where none is named."""
    run = finished(belt, drop_of(2))
    ran = desk.call("report")
    assert (ran.exit, ran.error) == (0, "")
    assert ran.out.startswith(f"✓ The report of support/tickets is {FILE}\n")
    assert (desk.home / FILE).read_bytes() == page_of(belt, run)
    assert desk.call("report", run, "-o", "other.html").exit == 0
    assert (desk.home / "other.html").read_bytes() == page_of(belt, run)


def test_another_file_is_replaced_only_by_force(desk: Command, belt: Belt) -> None:
    """The same page is no other file."""
    run = finished(belt, drop_of(2))
    (desk.home / FILE).write_text("mine")
    ran = desk.call("report", "tickets")
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith(f"✗ {FILE} is there already, and is another file\n")
    assert (desk.home / FILE).read_text() == "mine"
    assert desk.call("report", "tickets", "--force").exit == 0
    assert (desk.home / FILE).read_bytes() == page_of(belt, run)
    assert desk.call("report", "tickets").exit == 0


def test_what_is_no_file_is_not_replaced_by_one(desk: Command, belt: Belt) -> None:
    """A user who may do anything would lose /dev/null."""
    finished(belt, drop_of(2))
    os.mkfifo(desk.home / "pipe")
    ran = desk.call("report", "tickets", "-o", "pipe", "--force")
    assert (ran.exit, ran.error) == (2, "✗ pipe is no file: name one\n  Nothing was changed.\n")
    assert (desk.home / "pipe").is_fifo()


def test_the_browser_opens_a_temporary_file_or_the_named_one(desk: Command, belt: Belt) -> None:
    """That of the variable BROWSER, as all programs of Python have it."""
    run = finished(belt, drop_of(2))
    script = desk.home / "browser"
    script.write_text(f'#!/bin/sh\ncp "${{1#file://}}" {desk.home}/opened.html\necho "$1" > {desk.home}/address\n')
    script.chmod(0o755)
    ran = desk.run("report", "tickets", "--open", BROWSER=f"{script} %s", TMPDIR=str(desk.home))
    assert ran.exit == 0, ran
    assert "  It opens in your browser.\n" in ran.out
    assert (desk.home / "opened.html").read_bytes() == page_of(belt, run)
    address = (desk.home / "address").read_text().strip()
    assert address.startswith(f"file://{desk.home}/tickets-report-")
    assert address.endswith(".html")
    assert desk.run("report", "--open", "-o", "here.html", BROWSER=f"{script} %s").exit == 0
    assert (desk.home / "address").read_text().strip() == (desk.home / "here.html").as_uri()


def test_where_no_browser_starts_it_says_where_the_file_is(desk: Command, belt: Belt) -> None:
    """The surroundings lack one: exit code 8."""
    finished(belt, drop_of(2))
    ran = desk.run("report", "--open", "-o", "here.html", BROWSER="/bin/false %s")
    assert ran.exit == 8
    assert ran.out.startswith("! The report of support/tickets is here.html\n")
    assert "  No browser could be started here: open the file yourself.\n" in ran.out


def test_programs_read_what_the_page_shows(desk: Command, belt: Belt) -> None:
    """Nothing is written to a file: money is text, and times are RFC 3339."""
    run = finished(belt, drop_of(3), {"1": "errored:invalid_request_error"})
    said = json.loads(desk.call("report", "tickets", "--json").out)
    assert (said["v"], said["run"], said["status"]) == (1, run, "completed")
    assert (said["requests"], said["results"], said["failures"]) == (3, 2, 1)
    assert said["began_at"].endswith("Z")
    validator("report").validate(said)
    assert [cause["type"] for cause in said["causes"]] == ["invalid_request_error"]
    assert not (desk.home / FILE).exists()
    ran = desk.call("report", "tickets", "--json", "--open")
    assert (ran.exit, json.loads(ran.error)["error"]["code"]) == (2, "usage")


def test_a_run_that_has_not_ended_has_no_page_yet(desk: Command, belt: Belt) -> None:
    """It says where the run stands, and how to follow it."""
    belt.upload(drop_of(2), NAME)
    for more in ((), ("--json",)):
        ran = desk.call("report", "tickets", *more)
        assert (ran.exit, ran.out) == (2, "")
    ran = desk.call("report", "tickets")
    assert ran.error == (
        "✗ support/tickets has not ended: with the provider\n"
        "  Its report appears at its end. Follow it until then:\n    conveyor watch support/tickets\n"
    )


def test_an_erased_run_has_no_page_any_more(desk: Command, belt: Belt) -> None:
    """It says so, and not that something is missing."""
    run = finished(belt, drop_of(2))
    assert desk.call("erase", run, "--yes").exit == 0
    ran = desk.call("report", run)
    assert (ran.exit, ran.out) == (3, "")
    assert ran.error.startswith("✗ support/tickets was erased\n")


@pytest.mark.parametrize("name", list(EVERY))
def test_the_page_of_a_run_of_an_earlier_release_is_made_here(name: str, desk: Command, belt: Belt) -> None:
    """It follows from the receipt alone, whatever the run came to."""
    write_ended(lambda key, data: belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data), EVERY[name])
    ran = desk.call("report", ID, "-o", "made.html")
    assert ran.exit == 0, ran
    assert (
        "  The run has no page of its own, as runs of earlier releases: this one was made from its receipt.\n"
        in ran.out
    )
    assert (desk.home / "made.html").read_bytes().startswith(b"<!doctype html>")


def test_a_receipt_that_this_release_cannot_read(desk: Command, belt: Belt) -> None:
    """A later release wrote it, and its page is gone."""
    run = finished(belt, drop_of(2))
    key = f"results/support/tickets/{run}/receipt.json"
    belt.s3.delete_object(Bucket=belt.bucket, Key=key.replace("receipt.json", "report.html"))
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=belt.read(key).replace(b'"completed"', b'"of-later"'))
    ran = desk.call("report", run)
    assert (ran.exit, ran.error.splitlines()[0]) == (
        8, "✗ The receipt of support/tickets is of another release than this command",
    )  # fmt: skip


@pytest.mark.parametrize("data", [b"{", b"[]", b"null", b'{"run":"x"}'])
@pytest.mark.parametrize("command", ["report", "fetch"])
def test_a_receipt_that_is_none(command: str, data: bytes, desk: Command, belt: Belt) -> None:
    """It is no defect of the command."""
    run = finished(belt, drop_of(2))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"results/support/tickets/{run}/receipt.json", Body=data)
    ran = desk.call(command, run)
    assert (ran.exit, ran.error.splitlines()[0]) == (
        8, "✗ The receipt of support/tickets is of another release than this command",
    )  # fmt: skip


def test_a_place_that_is_no_file_is_never_read(desk: Command, belt: Belt) -> None:
    """A device may have no end. What cannot be written says which option names another file."""
    finished(belt, drop_of(2))
    ran = desk.call("report", "-o", "/dev/zero")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, "✗ /dev/zero is no file: name one")
    ran = desk.call("report", "-o", "/proc/nothing.html")
    assert (ran.exit, ran.error.splitlines()[1]) == (8, "  Choose another file with -o.")


def test_who_may_not_read_the_results_reads_no_page(desk: Command, belt: Belt, aws: Served) -> None:
    """It says whose they are, and which policy is meant."""
    finished(belt, drop_of(2), project="legal")
    aws.refuse_at("receipt.json", 403, "AccessDenied", DENIED)
    ran = desk.call("report", "tickets")
    assert (ran.exit, ran.out) == (8, "")
    assert 'The run is of project "legal"' in ran.error


def test_where_there_is_no_run(desk: Command) -> None:
    """It says so."""
    ran = desk.call("report")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, "✗ There is no run yet")
