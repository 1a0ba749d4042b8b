"""Choosing a stack: what is kept, and what is said if that is not possible."""

import json
from pathlib import Path

import pytest

from tests.support.command import Command
from tests.support.memory_aws.served import Served

KEPT = Path(".config") / "conveyor" / "stacks.json"
USE = ("use", "conveyor")


def test_a_stack_is_found_by_its_outputs_and_kept(conveyor: Command, bucket: str) -> None:
    """Later commands need not ask CloudFormation, which a person who drops files may not be allowed to."""
    ran = conveyor.call(*USE)
    assert (ran.exit, ran.error) == (0, "")
    assert ran.out == (
        "✓ conveyor in us-east-1, account 000000000000, is used from now on\n"
        "  Another stack for once: --stack NAME. The local one: --local.\n\n"
        f"  bucket   {bucket}\n"
        f"  kept in  {conveyor.home / KEPT}\n"
    )
    kept = json.loads((conveyor.home / KEPT).read_text())
    assert kept["in_use"] == "conveyor"
    assert kept["stacks"]["conveyor"]["outputs"]["BucketName"] == bucket


def test_as_json(conveyor: Command, bucket: str) -> None:
    """Programs read one object."""
    ran = conveyor.call(*USE, "--json")
    assert json.loads(ran.out) == {
        "v": 1, "stack": "conveyor", "region": "us-east-1", "account": "000000000000", "bucket": bucket,
        "file": str(conveyor.home / KEPT),
    }  # fmt: skip


def test_the_file_has_no_secret(conveyor: Command) -> None:
    """Credentials stay where AWS keeps them."""
    conveyor.call(*USE, AWS_ACCESS_KEY_ID="AKIAKEPT", AWS_SECRET_ACCESS_KEY="hidden")  # noqa: S106 - made up
    text = (conveyor.home / KEPT).read_text()
    assert "AKIAKEPT" not in text
    assert "hidden" not in text


def test_a_stack_that_does_not_exist(conveyor: Command) -> None:
    """The stacks of Conveyor that are there are named, with the command that chooses one."""
    ran = conveyor.call("use", "conveyer")
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error == (
        '✗ No stack "conveyer" in us-east-1, account 000000000000\n'
        "  Stacks of Conveyor here: conveyor.\n"
        "    conveyor use conveyor --region us-east-1\n"
    )


def test_a_region_without_a_stack_of_conveyor(conveyor: Command, aws: Served) -> None:
    """The stack is probably in another Region."""
    del aws.memory.stacks.named["conveyor"]
    ran = conveyor.call(*USE, "--region", "eu-central-1")
    assert ran.exit == 8
    assert ran.error == (
        '✗ No stack "conveyor" in eu-central-1, account 000000000000\n'
        "  No stack of Conveyor is seen here.\n"
        "  It may be in another Region or account.\n"
        "    conveyor use conveyor --region REGION\n"
    )


def test_another_kind_of_stack_is_not_used(conveyor: Command) -> None:
    """It has no bucket of runs."""
    ran = conveyor.call("use", "other")
    assert ran.exit == 8
    assert ran.error.startswith('✗ "other" in us-east-1 is no stack of Conveyor that can be used\n')
    assert not (conveyor.home / KEPT).exists()


STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/conveyor/*"
ANNA = "arn:aws:iam::000000000000:user/anna"
ACTION = "cloudformation:DescribeStacks"


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            "AccessDenied",
            f"User: {ANNA} is not authorized to perform: {ACTION} on resource: {STACK} because no policy allows it",
            f"✗ Not allowed: {ACTION} on {STACK}\n  {ANNA} may not do that. ",
        ),
        ("AccessDenied", "", f"✗ Not allowed: {ACTION}\n  Your role may not do that. "),
        ("ExpiredToken", "The security token included in the request is expired", "✗ Your AWS session has expired\n"),
        ("InvalidClientTokenId", "The token is invalid", "✗ AWS does not accept these credentials\n"),
        ("SignatureDoesNotMatch", "Signature expired: 20261130T000000Z is now earlier than", "✗ The clock of this "),
        ("Odd", "no", f"✗ AWS answers {ACTION} with Odd (HTTP 403)\n"),
    ],
)
def test_what_aws_refuses_is_said_in_words(conveyor: Command, aws: Served, code: str, message: str, told: str) -> None:
    """A person learns what is missing, and whom to ask."""
    aws.refuse("DescribeStacks", 403, code, message)
    ran = conveyor.call(*USE)
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error.startswith(told)
    assert "Traceback" not in ran.error
