"""StartQuery, GetQueryResults, and saved queries of the local AWS."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.stack.local_aws import REGION
from tests.support.log_groups import ask, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

ACCOUNT = "000000000000"


@pytest.fixture(name="logs")
def _logs(aws: Aws) -> CloudWatchLogsClient:
    """Return a client."""
    client: CloudWatchLogsClient = aws.client("logs")
    return client


@pytest.fixture
def name() -> str:
    """Return a name that no other test uses."""
    return f"q-{uuid4().hex[:8]}"


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    """Return the code of an error."""
    return error.value.response["Error"]["Code"]


def test_one_query_reads_several_log_groups(logs: CloudWatchLogsClient, name: str) -> None:
    """The newest first; `@log` says which group."""
    write(logs, f"{name}-a", {"run": "1"}, {"run": "2"})
    write(logs, f"{name}-b", {"run": "3"}, {"run": "4"}, {"run": "5"}, seconds_apart=10)
    rows = ask(logs, "fields run, @log | filter run != '5'", f"{name}-a", f"{name}-b")
    assert [row["run"] for row in rows] == ["2", "1", "4", "3"]
    assert {row["@log"] for row in rows} == {f"{ACCOUNT}:{name}-a", f"{ACCOUNT}:{name}-b"}
    assert all(row["@ptr"] for row in rows)
    assert len(ask(logs, "fields run", f"{name}-a", f"{name}-b", limit=4)) == 4


def test_results_come_after_a_while(logs: CloudWatchLogsClient, name: str) -> None:
    """As on AWS: who does not wait sees that the query is running."""
    write(logs, name, {"run": "1"})
    now = int(time.time())
    started = logs.start_query(logGroupName=name, startTime=now - 60, endTime=now + 60, queryString="fields run")
    first = logs.get_query_results(queryId=started["queryId"])
    assert (first["status"], first["results"]) == ("Running", [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"queryString": "fields run |"}, "MalformedQueryException"),
        ({"queryString": "stats latest(run) by"}, "MalformedQueryException"),
        ({"logGroupName": "no-such-group"}, "ResourceNotFoundException"),
        ({"limit": 10_001}, "InvalidParameterException"),
        ({"startTime": 10, "endTime": 9}, "InvalidParameterException"),
        ({"queryLanguage": "SQL"}, "InvalidParameterException"),
        ({"logGroupNames": ["another"]}, "InvalidParameterException"),
    ],
)
def test_a_wrong_request_is_refused(logs: CloudWatchLogsClient, name: str, change: Json, code: str) -> None:
    """The error of a query says where."""
    write(logs, name, {"run": "1"})
    request: Json = {
        "logGroupName": name,
        "startTime": 0,
        "endTime": int(time.time()),
        "queryString": "fields run",
    } | change
    with pytest.raises(ClientError) as error:
        logs.start_query(**request)
    assert refused(error) == code
    if code == "MalformedQueryException":
        location = error.value.response["queryCompileError"]["location"]  # type: ignore[typeddict-item]
        assert location["startCharOffset"] == len(request["queryString"])


def group_arn(name: str) -> str:
    """Return the ARN of a log group."""
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"


@pytest.fixture
def reader(aws: Aws, name: str) -> Iterator[CloudWatchLogsClient]:
    """Return a client of a user who may query the group with this name, and no other."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    statements = [
        {"Effect": "Allow", "Action": "logs:StartQuery", "Resource": f"{group_arn(name)}-a"},
        {"Effect": "Allow", "Action": "logs:GetQueryResults", "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    client = session.client("logs", endpoint_url=aws.url, verify=str(aws.certificate))
    yield client
    client.close()


def test_a_query_needs_permission_on_each_of_its_groups(
    logs: CloudWatchLogsClient, reader: CloudWatchLogsClient, name: str
) -> None:
    """Whether they are named or given by their ARNs."""
    for group in ("a", "b"):
        write(logs, f"{name}-{group}", {"run": group})
    assert [row["run"] for row in ask(reader, "fields run", f"{name}-a")] == ["a"]
    for groups in ([f"{name}-b"], [f"{name}-a", f"{name}-b"]):
        with pytest.raises(ClientError) as error:
            ask(reader, "fields run", *groups)
        assert refused(error) == "AccessDeniedException"
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.start_query(
            logGroupIdentifiers=[group_arn(f"{name}-b")], startTime=0, endTime=1, queryString="fields run"
        )  # fmt: skip


def template(**properties: Json | str | list[str]) -> str:
    """Return a template with a saved query, whose id is an output."""
    resource = {"Type": "AWS::Logs::QueryDefinition", "Properties": properties}
    return json.dumps({"Resources": {"Saved": resource}, "Outputs": {"Id": {"Value": {"Ref": "Saved"}}}})


def test_a_template_saves_changes_and_removes_a_query(aws: Aws, logs: CloudWatchLogsClient, name: str) -> None:
    """Its id stays; what the template no longer says is gone."""
    stacks = aws.client("cloudformation")
    stacks.create_stack(
        StackName=name,
        TemplateBody=template(Name=f"{name}/one", QueryString="fields run", LogGroupNames=["g"]),
    )  # fmt: skip
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (saved,) = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    assert outputs[0]["OutputValue"] == saved["queryDefinitionId"]
    assert (saved["name"], saved["queryString"], saved["logGroupNames"]) == (f"{name}/one", "fields run", ["g"])
    stacks.update_stack(StackName=name, TemplateBody=template(Name=f"{name}/two", QueryString="fields @message"))
    stacks.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (changed,) = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert (changed["name"], changed["queryString"], changed["logGroupNames"]) == (
        f"{name}/two", "fields @message", []
    )  # fmt: skip
    assert changed["queryDefinitionId"] == saved["queryDefinitionId"]
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"] == []


def test_a_client_saves_lists_and_removes_queries(logs: CloudWatchLogsClient, name: str) -> None:
    """In pages, in the order of their names; one that does not exist is not found."""
    ids = [
        logs.put_query_definition(name=f"{name}-{letter}", queryString="fields x")["queryDefinitionId"]
        for letter in "ba"
    ]  # fmt: skip
    first = logs.describe_query_definitions(queryDefinitionNamePrefix=name, maxResults=1)
    second = logs.describe_query_definitions(queryDefinitionNamePrefix=name, nextToken=first["nextToken"])
    found = [one["name"] for page in (first, second) for one in page["queryDefinitions"]]
    assert (found, "nextToken" in second) == ([f"{name}-a", f"{name}-b"], False)
    for query_id in ids:
        assert logs.delete_query_definition(queryDefinitionId=query_id)["success"]
    with pytest.raises(ClientError) as error:
        logs.delete_query_definition(queryDefinitionId=ids[0])
    assert refused(error) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as error:
        logs.put_query_definition(queryDefinitionId=ids[0], name=name, queryString="fields x")
    assert refused(error) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as error:
        logs.put_query_definition(name="a//b", queryString="fields x")
    assert refused(error) == "InvalidParameterException"
