"""Uploads of `conveyor drop` whose answers are lost: nobody pays twice because of what a screen says."""

from collections.abc import Callable

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.desk_drops import Reaction
from tests.support.memory_aws.served import Served

KEY = "inbox/tickets.jsonl"
STAYS = "Do not drop the file again."


@pytest.fixture
def desk(conveyor: Command, reaction: Reaction) -> Command:
    """Return the command of a user with a file."""
    assert reaction.runs == []
    (conveyor.home / "tickets.jsonl").write_bytes(drop_of(3))
    return conveyor


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "ExpiredToken")])
def test_what_is_denied_after_the_upload_is_no_reason_to_drop_it_again(
    desk: Command, aws: Served, belt: Belt, status: int, code: str
) -> None:
    """The file is there, and its run begins: so nothing says that nothing was changed."""
    aws.refuse("HEAD", status, code)
    aws.refuse("GET", status, code)
    ran = desk.call("drop", "tickets.jsonl")
    assert (ran.exit, belt.stored("inbox/")) == (8, [KEY])
    assert ran.error.startswith("✗ The file is uploaded, but its run cannot be seen: ")
    assert STAYS in ran.error
    assert "Nothing was changed" not in ran.error
    assert ran.error.endswith("    conveyor runs\n")


def test_an_upload_without_an_answer_may_have_arrived(desk: Command, aws: Served) -> None:
    """Of a small file there is one request, and its answer is lost: nobody knows what it did."""
    aws.refuse("PUT", 500, "InternalError")
    ran = desk.call("drop", "tickets.jsonl")
    assert ran.exit == 8
    assert ran.error.startswith("✗ Whether tickets.jsonl has arrived is not known: AWS answers s3:PutObject with ")
    assert "Look before you drop it again" in ran.error
    assert "nothing is charged" not in ran.error


def test_an_upload_that_the_client_repeats_is_one_run(
    desk: Command, aws: Served, reaction: Reaction, belt: Belt
) -> None:
    """The first attempt has written a version that runs; that of the second is refused, and is not what is shown."""
    aws.reactions["PUT"] = lost_once(aws, belt, reaction)
    ran = desk.call("drop", "tickets.jsonl")
    assert (ran.exit, len(reaction.runs)) == (0, 2), ran.out
    assert f"Started     {reaction.runs[0]}" in ran.out
    assert "--again" not in ran.out
    assert desk.call("drop", "tickets.jsonl").exit == 3, "what was typed twice is still refused"


def lost_once(aws: Served, belt: Belt, reaction: Reaction) -> Callable[[], None]:
    """Return what stores the first upload, begins its run, and loses the answer."""

    def react() -> None:
        if aws.refusals.pop("PUT", None) is None and not belt.stored("inbox/"):
            belt.s3.put_object(Bucket=belt.bucket, Key=KEY, Body=drop_of(3), Metadata={})
            reaction()
            aws.refuse("PUT", 500, "InternalError")

    return react
