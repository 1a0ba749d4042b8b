"""What the managed policies of the template let people do, and nothing else, enforced by the local AWS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from conveyor.domain import keys
from tests.support.people import Clients, role_with, user_with
from tests.support.people_stack import POLICIES, Deployed, deploy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local.stack.local_aws import Aws

RUN = "20261122T123456Z-0123456789ab"
ACTIONS = (keys.STOP, keys.PAUSE, keys.approval_name(1), keys.release_name(1, 1))
NO_PROJECT: tuple[dict[str, str], ...] = ({}, {"project": ""})
"""Tags of a person that name none."""
FACTS, INDEX, CLAIMS = (f"runs/{RUN}/run.json", f"index/team-b/2026-11-22/{RUN}~started~1~", f"claims/batches/{RUN}")
LIMITS = "config/budgets.json"


def of(project: str) -> set[str]:
    """Return a key of each kind that belongs to a project; none belongs to a role but the functions'."""
    prefix = keys.controls(RUN, project)[1]
    return {
        f"inbox/{project}/x.jsonl",
        f"{keys.content(RUN, project)}unpacked.jsonl",
        keys.results(f"{project}/x", RUN),
        keys.receipt(f"{project}/x", RUN),
        keys.failures(f"{project}/x", RUN),
        *(f"{prefix}{action}" for action in ACTIONS),
    }


OWN = of("team-a")
OTHERS = of("team-b") | of("team-a2") | of("") | {f"control/{RUN}/{action}" for action in ACTIONS} | {"inbox/x.jsonl"}
EVERY = OWN | OTHERS | {FACTS, INDEX, CLAIMS, LIMITS}
PREFIXES = {
    "", "inbox/", "control/", "content/", "results/", "results/team-a", "failures/", "config/", "claims/",
    *(f"{kind}/{project}/" for kind in ("inbox", "control", "content", "results", "failures")
      for project in ("team-a", "team-b", "")),
}  # fmt: skip
"""Of listings that are not about the facts of runs."""
OF_FACTS = {"runs/", f"runs/{RUN}/", "index/", "index/team-b/2026-11-"}
OF_ALL = OF_FACTS | {"config/"}
"""What everybody may list who drops or approves: facts of runs, and the limits under which people spend."""


@pytest.fixture(scope="module")
def stack(aws: Aws) -> Deployed:
    """Deploy the policies, with a bucket that holds an object under each key."""
    stack = deploy(aws)
    for key in EVERY:
        aws.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=b"1")
    return stack


class May:
    """What a person may do."""

    def __init__(self, clients: Clients, stack: Deployed) -> None:
        """`clients`: of the person."""
        self.s3, self.formation, self.stack = clients("s3"), clients("cloudformation"), stack
        self.bucket = stack.bucket

    def write(self) -> set[str]:
        """Return the keys that they may write."""
        return self._which(EVERY, lambda key: self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"2"))

    def read(self) -> set[str]:
        """Return the keys that they may read."""
        return self._which(EVERY, lambda key: self.s3.get_object(Bucket=self.bucket, Key=key))

    def list(self) -> set[str]:
        """Return the prefixes under which they may list."""
        return self._which(
            PREFIXES | OF_FACTS, lambda prefix: self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        )

    def delete(self) -> set[str]:
        """Return the keys that they may delete, as their owner sees it: a marker hides what was there."""
        return self._which(EVERY, lambda key: self.s3.delete_object(Bucket=self.bucket, Key=key))

    def see_stack(self, name: str) -> bool:
        """Tell whether they may read the outputs of a stack."""
        return bool(self._which([name], lambda one: self.formation.describe_stacks(StackName=one)))

    @classmethod
    def _which(cls, things: Iterable[str], call: Callable[[str], object]) -> set[str]:
        return {thing for thing in sorted(things) if cls.allows(partial(call, thing))}

    @staticmethod
    def allows(call: Callable[[], object]) -> bool:
        """Tell whether a call is allowed."""
        try:
            call()
        except ClientError as error:
            assert error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}  # noqa: PT017
            return False
        return True


@pytest.fixture(params=[role_with, user_with], ids=["role", "user"])
def dropper(request: pytest.FixtureRequest, aws: Aws, stack: Deployed) -> Iterator[May]:
    """Return what a dropper of team-a may do."""
    with request.param(aws, stack.policies["DropperPolicy"], {"project": "team-a"}) as clients:
        yield May(clients, stack)


def test_a37_a_dropper_drops_stops_and_pauses_in_their_own_project(dropper: May) -> None:
    """A37: they may not approve, decide, write limits or facts, or delete; nor anything for another project."""
    own = keys.controls(RUN, "team-a")[1]
    assert dropper.write() == {"inbox/team-a/x.jsonl", f"{own}{keys.STOP}", f"{own}{keys.PAUSE}"}
    assert dropper.delete() == set()


def test_a_dropper_reads_their_own_project_and_the_facts_and_limits_of_all_runs(dropper: May) -> None:
    """No prompt and no answer of another project. The command judges a file by the limits."""
    assert dropper.read() == {key for key in OWN if not key.startswith("control/")} | {FACTS, LIMITS}
    own = {f"{kind}/team-a/" for kind in ("inbox", "control", "content", "results", "failures")}
    assert dropper.list() == own | OF_ALL
    with pytest.raises(ClientError, match="AccessDenied"):
        dropper.s3.list_object_versions(Bucket=dropper.bucket, Prefix="inbox/team-a/")


def test_a_dropper_uploads_a_large_file_and_drops_a_version_again(dropper: May, aws: Aws) -> None:
    """As the message about a refusal says. An upload in parts can be broken off."""
    key = "inbox/team-a/large.jsonl"
    upload = dropper.s3.create_multipart_upload(Bucket=dropper.bucket, Key=key)["UploadId"]
    dropper.s3.upload_part(Bucket=dropper.bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"1")
    dropper.s3.abort_multipart_upload(Bucket=dropper.bucket, Key=key, UploadId=upload)
    version = aws.client("s3").put_object(Bucket=dropper.bucket, Key=key, Body=b"1")["VersionId"]
    source = {"Bucket": dropper.bucket, "Key": key, "VersionId": version}
    dropper.s3.copy_object(Bucket=dropper.bucket, Key=key, CopySource=source)
    others = {"Bucket": dropper.bucket, "Key": "inbox/team-b/x.jsonl"}
    with pytest.raises(ClientError, match="AccessDenied"):
        dropper.s3.copy_object(Bucket=dropper.bucket, Key=key, CopySource=others)


@pytest.mark.parametrize("policy", ["DropperPolicy", "ApproverPolicy"])
@pytest.mark.parametrize("tags", NO_PROJECT, ids=["no tag", "an empty tag"])
def test_who_has_no_project_may_do_nothing(aws: Aws, stack: Deployed, policy: str, tags: dict[str, str]) -> None:
    """A forgotten tag opens nothing."""
    with role_with(aws, stack.policies[policy], tags) as clients:
        person = May(clients, stack)
        assert person.write() | person.read() | person.list() | person.delete() == set()


def test_an_approver_approves_runs_of_their_own_project_and_sees_what_runs_may_cost(aws: Aws, stack: Deployed) -> None:
    """They see no prompt and no answer."""
    with role_with(aws, stack.policies["ApproverPolicy"], {"project": "team-a"}) as clients:
        approver = May(clients, stack)
        assert approver.write() == {f"{keys.controls(RUN, 'team-a')[1]}{keys.approval_name(1)}"}
        assert approver.read() == {FACTS, LIMITS}
        assert approver.list() == OF_ALL | {"control/team-a/"}
        assert approver.delete() == set()


def test_an_administrator_does_all_that_people_may_do_and_changes_no_fact(aws: Aws, stack: Deployed) -> None:
    """For every project. Outputs, content, index and claims are written by the functions only."""
    with role_with(aws, stack.policies["AdministratorPolicy"]) as clients:
        administrator = May(clients, stack)
        written = {key for key in EVERY if key.startswith(("inbox/", "control/", "config/"))}
        assert administrator.write() == written
        assert administrator.read() == EVERY
        assert administrator.list() == PREFIXES | OF_FACTS


def test_an_administrator_erases_what_is_in_a_run_and_no_fact(aws: Aws) -> None:
    """All versions of drop, content, results and failures. A deleted fact would let a drop be paid for again."""
    stack = deploy(aws)
    erasable = {key for key in EVERY if key.startswith(("inbox/", "content/", "results/", "failures/"))}
    for key in [*EVERY, *OWN]:
        aws.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=b"1")
    with role_with(aws, stack.policies["AdministratorPolicy"]) as clients:
        administrator = May(clients, stack)
        assert administrator.delete() == erasable | {LIMITS}
        listed = administrator.s3.list_object_versions(Bucket=stack.bucket)
        every = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in (*listed["Versions"], *listed["DeleteMarkers"])
        ]
        gone = [each for each in every if each["Key"] in erasable]
        answer = administrator.s3.delete_objects(Bucket=stack.bucket, Delete={"Objects": gone})
        assert "Errors" not in answer
        kept = {each["Key"].partition("/")[0]: each for each in every if each["Key"] not in erasable}
        assert kept.keys() == {"runs", "index", "claims", "config", "control"}
        for each in kept.values():
            with pytest.raises(ClientError, match="AccessDenied"):
                administrator.s3.delete_object(Bucket=stack.bucket, **each)
    left = aws.client("s3").list_object_versions(Bucket=stack.bucket)["Versions"]
    assert {each["Key"] for each in left} == EVERY - erasable


@pytest.mark.parametrize("policy", POLICIES)
def test_only_an_administrator_sees_alarms_and_runs_queries(aws: Aws, stack: Deployed, policy: str) -> None:
    """Of the functions of this stack. Queries name the runs of all projects, and what they cost.

    Who checks the stack sees alarms, too.
    """
    logs = aws.client("logs")
    own, other = (f"/aws/lambda/{name}-{policy}" for name in (stack.name, f"of-{uuid4().hex[:8]}"))
    for group in (own, other):
        logs.create_log_group(logGroupName=group)
    with role_with(aws, stack.policies[policy], {"project": "team-a"}) as clients:
        calls: dict[str, Callable[[], object]] = {
            "alarms": lambda: clients("cloudwatch").describe_alarms(),
            "dashboards": lambda: clients("cloudwatch").list_dashboards(),
            "queries": lambda: clients("logs").describe_query_definitions(),
            "own logs": lambda: started(clients, own),
            "other logs": lambda: started(clients, other),
        }
        seen = {name for name, call in calls.items() if May.allows(call)}
    expected = {"AdministratorPolicy": calls.keys() - {"other logs"}, "DoctorPolicy": {"alarms"}}
    assert seen == expected.get(policy, set())


def started(clients: Clients, group: str) -> object:
    """Query a log group, and read the result."""
    logs = clients("logs")
    query = logs.start_query(logGroupName=group, startTime=0, endTime=1, queryString="fields @message")
    return logs.get_query_results(queryId=query["queryId"])


@pytest.mark.parametrize("policy", POLICIES)
def test_people_find_the_stack_and_no_other(aws: Aws, stack: Deployed, policy: str) -> None:
    """A second stack of the account has policies of its own."""
    other = deploy(aws)
    assert not set(other.policies.values()) & set(stack.policies.values())
    with role_with(aws, stack.policies[policy], {"project": "team-a"}) as clients:
        person = May(clients, stack)
        assert person.see_stack(stack.name)
        assert not person.see_stack(other.name)
        with pytest.raises(ClientError, match="AccessDenied"):
            person.s3.put_object(Bucket=other.bucket, Key="inbox/team-a/x.jsonl", Body=b"1")
