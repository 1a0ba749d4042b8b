"""What people with the managed policies do with the command on the local AWS, and what it denies them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.belt import drop_of
from tests.support.command import Command
from tests.support.desk_files import write_small
from tests.support.desk_runs import write_runs, write_undecided
from tests.support.people import credentials
from tests.support.people_stack import Deployed, deploy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.stack.local_aws import Aws

type Person = Callable[..., Command]
"""Returns the command of a person who has chosen the stack, by the name of the policy and the tags."""


class Desk:
    """A bucket with some runs."""

    def __init__(self, aws: Aws, stack: Deployed) -> None:
        """Write the runs."""
        self._s3, self._bucket = aws.client("s3"), stack.bucket
        write_runs(self)
        write_undecided(self)

    def put(self, key: str, data: bytes, metadata: dict[str, str]) -> Any:
        """Write an object."""
        put = self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, Metadata=metadata)
        return SimpleNamespace(id=put["VersionId"])

    def versions(self) -> list[str]:
        """Return the key of each version of each object."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket)
        return [each["Key"] for page in pages for each in page.get("Versions", [])]

    def written(self) -> set[str]:
        """Return what people have said: project and word."""
        keys = (key.split("/") for key in self.versions() if key.startswith("control/"))
        return {f"{project} {word}" for _, project, _, *words in keys for word in words[-1:]}


@pytest.fixture(scope="module")
def stack(aws: Aws) -> Deployed:
    """Deploy the policies, with a bucket."""
    return deploy(aws)


@pytest.fixture(scope="module")
def desk(aws: Aws, stack: Deployed) -> Desk:
    """Write some runs."""
    return Desk(aws, stack)


@pytest.fixture
def person(aws: Aws, stack: Deployed, tmp_path: Path) -> Person:
    """Return the commands of people."""

    def of(policy: str, **tags: str) -> Command:
        command = Command(tmp_path, aws.env | credentials(aws, stack.policies[policy], tags))
        assert command.call("use", stack.name).exit == 0
        return command

    return of


def test_a_dropper_sees_all_runs_and_stops_those_of_their_project(person: Person, desk: Desk) -> None:
    """For other projects, and for approvals, decisions and erasing, it says which permission is missing."""
    dropper, before = person("DropperPolicy", project="shop"), desk.versions()
    shown = [json.loads(line) for line in dropper.run("runs", "--json").out.splitlines()]
    assert {each["project"] for each in shown} == {"shop", "legal", "support", "research", "finance"}
    for denied in (
        ("stop", "contracts-q4"),
        ("approve", "contracts-q4", "--no-limit"),
        ("decide", "reviews", "--submit-again"),
    ):
        ran = dropper.call(*denied, "--yes")
        assert ran.exit == 8, denied
        assert ran.error.startswith("✗ Not allowed: s3:PutObject"), denied
    ran = dropper.call("erase", "tickets-2026-11", "--yes")
    assert ran.exit == 8
    assert ran.error.startswith("✗ Not allowed: s3:ListBucketVersions")
    assert sorted(desk.versions()) == sorted(before)
    assert dropper.call("stop", "catalog-2026-11", "--yes").exit == 0
    assert dropper.call("pause", "catalog-2026-11", "--yes").exit == 0
    assert desk.written() == {"shop cancel", "shop pause"}


def test_a_dropper_drops_watches_and_fetches_for_their_project_only(person: Person, desk: Desk, tmp_path: Path) -> None:
    """How runs of other projects stand can be seen, but nothing of their content."""
    (tmp_path / "new.jsonl").write_bytes(drop_of(3))
    write_small(desk, "support/small")
    before = desk.versions()
    other = person("DropperPolicy", project="shop")
    denied = other.call("fetch", "small")
    assert (denied.exit, denied.out) == (8, ""), denied.error
    assert "s3:GetObject" in denied.error
    assert "support" in denied.error
    denied = other.call("drop", "new.jsonl", "--project", "legal")
    assert denied.exit == 8
    assert "Not allowed: s3:PutObject" in denied.error
    assert desk.versions() == before
    assert other.call("drop", "new.jsonl", "--project", "shop", "--dry-run").exit == 0
    seen = other.call("watch", "tickets-2026-11")
    assert seen.exit == 1
    own = person("DropperPolicy", project="support")
    assert own.call("fetch", "small").exit == 0
    assert len((tmp_path / "small" / "results.jsonl").read_bytes().splitlines()) == 3


def test_a_file_that_was_deleted_is_gone_for_a_dropper_too(
    person: Person, desk: Desk, aws: Aws, stack: Deployed
) -> None:
    """S3 answers them 403 for it, since they may list under some prefixes only; it is not a missing permission."""
    write_small(desk, "support/deleted")
    (key,) = {each for each in desk.versions() if "support/deleted/" in each and each.endswith("/results.jsonl")}
    aws.client("s3").delete_object(Bucket=stack.bucket, Key=key)
    ran = person("DropperPolicy", project="support").call("fetch", "deleted")
    assert "results.jsonl does not exist in the bucket any more" in ran.error
    assert "Not allowed" not in ran.error


def test_an_approver_approves_runs_of_their_project_and_stops_none(person: Person, desk: Desk) -> None:
    """Of no other project."""
    approver, before = person("ApproverPolicy", project="legal"), desk.written()
    assert approver.call("runs").exit == 0
    assert approver.call("stop", "contracts-q4", "--yes").exit == 8
    other = person("ApproverPolicy", project="shop")
    assert other.call("approve", "contracts-q4", "--no-limit", "--yes").exit == 8
    assert desk.written() == before
    assert approver.call("approve", "contracts-q4", "--no-limit", "--yes").exit == 0
    assert desk.written() - before == {"legal approve-1"}


def test_an_administrator_does_so_for_all_projects_and_erases(person: Person, desk: Desk) -> None:
    """All versions go, and no fact."""
    administrator, before = person("AdministratorPolicy"), desk.versions()
    assert administrator.call("stop", "contracts-q4", "--yes").exit == 0
    assert administrator.call("decide", "reviews", "--submit-again", "--yes").exit == 0
    ran = administrator.call("erase", "tickets-2026-11", "--yes")
    assert (ran.exit, ran.error) == (0, "")
    assert desk.written() >= {"legal cancel", "shop attempt-1", "support erased"}
    gone = set(before) - set(desk.versions())
    assert {key.partition("/")[0] for key in gone} == {"inbox", "results", "failures"}
    assert all("tickets-2026-11" in key for key in gone)
    again = administrator.call("erase", "tickets-2026-11", "--yes")
    assert again.out.startswith("✓ Nothing is left of tickets-2026-11")
    shown = {
        each["name"]: each["state"] for each in map(json.loads, administrator.call("runs", "--json").out.splitlines())
    }
    assert shown["tickets-2026-11"] == "erased"


def test_without_a_tag_a_person_sees_and_changes_nothing(person: Person, desk: Desk) -> None:
    """It says so, and ends with 8."""
    before = desk.versions()
    for policy in ("DropperPolicy", "ApproverPolicy"):
        nobody = person(policy)
        for typed in (("runs",), ("stop", "catalog-2026-11", "--yes"), ("erase", "eval-two-models", "--yes")):
            ran = nobody.call(*typed)
            assert (ran.exit, ran.out) == (8, ""), typed
            assert ran.error.startswith("✗ Not allowed: s3:ListBucket"), typed
    assert desk.versions() == before
