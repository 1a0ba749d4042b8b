"""Each function makes only calls to S3 that its role in the template allows: the AWS in memory allows everything."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from gzip import compress
from typing import Any

import pytest

from tests.support import template
from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import Call, When, tapped
from tests.support.promises import check

ACTIONS = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
}
"""What a call needs that is not named like its action."""


def may(role: str, action: str, key: str) -> bool:
    """Tell whether a statement of a role allows an action on a key, or a listing of a prefix."""
    for statement in template.statements(role):
        if action not in template.as_list(statement["Action"]):
            continue
        listed = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
        patterns = [listed] if listed else map(template.spelled, template.as_list(statement["Resource"]))
        if any(fnmatchcase(key, pattern.removeprefix("${Bucket.Arn}/")) for pattern in patterns):
            return True
    return False


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("probe", ["yes", "no"])
def test_each_function_calls_only_what_its_role_allows(belt: Belt, probe: str, is_packed: bool) -> None:  # noqa: FBT001
    """A permission that is missing refuses the run, or stops it, and only on AWS."""
    role, denied, seen = "SubmitRole", set[str](), set[str]()

    def look(call: Call, when: When) -> None:
        operation, _, rest = call.name.partition(" ")
        if when == "after" or operation in {"GET", "POST", "StartExecution"}:
            return
        seen.add(role)
        action, key = ACTIONS.get(operation, f"s3:{operation}"), rest.split(" ")[0]
        if not may(role, action, key):
            denied.add(f"{role} {action} {key}")

    def as_role(task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        nonlocal role
        role = f"{task.func.__name__.title()}Role"  # type: ignore[attr-defined] # a partial of a function of the belt
        return task()

    belt.provider.configure(every={"3": "errored:api_error", "7": "expired", "11": "succeeded:max_tokens"})
    data = drop_of(60)
    with tapped(belt.clients, look):
        run = belt.upload(compress(data) if is_packed else data, metadata={"probe": probe})
        end = belt.finish(run, as_role)
    assert not denied
    assert seen == {"SubmitRole", "PollRole", "SplitRole", "ReportRole"}
    check(belt, run, end, data)
