"""The tables of the template in Athena: each request once, whatever the files hold, and only what a person may read."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support import template
from tests.support.athena import Failed, ask
from tests.support.people import role_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

RUN = "20261122T123456Z-0123456789ab"
PARTS = ("Database", "ResultLines", "FailureLines", "ResultsView", "FailuresView", "RunsView", "Workgroup")
ANSWER = {
    "model": "m",
    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 1},
}
CHAT = {
    "model": "c",
    "choices": [{"message": {"content": "chat"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5},
}
RESULTS: list[Json] = [
    {"custom_id": 7, "response": ANSWER, "error": None, "region": "EU", "Region": "as written", "a\u0001b": 1},
    {"custom_id": 'q"\n\r', "response": CHAT, "error": None},
    {
        "custom_id": "tool",
        "response": ANSWER | {"content": [{"type": "tool_use", "input": {"text": {}}}]},
        "error": None,
    },
]
FAILURE = {
    "custom_id": "f",
    "response": None,
    "error": {"type": "overloaded_error", "message": "Overloaded"},
    "line": 4,
    "outcome": "errored",
    "retryable": True,
}
RECEIPT: Json = {
    "run": RUN, "name": "x", "status": "completed", "code": None, "requests": 4, "results": 3, "failures": 1,
    "outcomes": {"results": 99}, "words": 'it said "status": "stuck",', "project": "team-a", "cost_usd": 1.2e-06,
    "received_at": "2026-11-22T12:34:56Z", "ended_at": "2026-11-22T13:00:00Z", "batches": [{"requests": 98}],
}  # fmt: skip


class Place(NamedTuple):
    """A stack of the tables, in which two runs have ended."""

    aws: Aws
    database: str
    bucket: str
    policy: Json
    """The policy of analysts, as it was deployed."""


def lines(records: list[Json]) -> bytes:
    """Write records as a function does."""
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in records)


@pytest.fixture(scope="module")
def place(aws: Aws) -> Place:
    """Deploy the tables, with the bucket and the policy, as the template has them."""
    whole, name = template.template(), f"sql-{uuid4().hex[:8]}"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    parts: Json = {part: whole["Resources"][part] for part in (*PARTS, "AnalystPolicy")}
    part = {
        "Parameters": whole["Parameters"],
        "Conditions": whole["Conditions"],
        "Resources": {"Bucket": bucket} | parts,
        "Outputs": {"BucketName": whole["Outputs"]["BucketName"], "Policy": whole["Outputs"]["AnalystPolicyArn"]},
    }
    database = name.replace("-", "_")
    formation, chosen = aws.client("cloudformation"), [{"ParameterKey": "ResultsDatabase", "ParameterValue": database}]
    formation.create_stack(
        StackName=name, TemplateBody=json.dumps(part), Parameters=chosen, Capabilities=["CAPABILITY_IAM"]
    )
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
    given = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    fill(aws, given["BucketName"])
    document = aws.client("iam").get_policy_version(PolicyArn=given["Policy"], VersionId="v1")["PolicyVersion"]
    return Place(aws, database, given["BucketName"], document["Document"])


def fill(aws: Aws, bucket: str) -> None:
    """Write what two runs leave behind, one of them without results."""
    s3, run = aws.client("s3"), f"team-a/x/{RUN}"
    content = {
        f"results/{run}/results.jsonl": lines(RESULTS),
        f"results/{run}/parts/results-1.jsonl": lines(RESULTS[:2]),
        f"results/{run}/parts/failures-1.jsonl": lines([FAILURE]),
        f"results/{run}/report.html": b'<html>\r\n{"custom_id": 1}\n  "status": "stuck",\n',
        f"results/{run}/receipt.json": json.dumps(RECEIPT, indent=2).encode() + b"\n",
        f"failures/{run}/failures.jsonl": lines([FAILURE]),
        f"failures/{run}/retry.jsonl": lines([{"custom_id": "f", "params": {}}]),
        f"failures/{run}/aside.jsonl": b"\xff no JSON\n",
        f"results/y/{RUN}/receipt.json": json.dumps({"status": "refused", "code": "no-requests"}, indent=2).encode(),
        f"results/_y/{RUN}/results.jsonl": lines(RESULTS),
    }
    for key, body in content.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def rows(place: Place, query: str, athena: Any = None) -> list[dict[str, str | None]]:
    """Return the rows of a query."""
    group = place.database.replace("_", "-")
    return ask(athena or place.aws.client("athena"), query, group, place.database)


def test_each_result_is_there_once_whatever_it_holds(place: Place) -> None:
    """Not in the lines of parts and reports again; text blocks of any kind of answer are put together."""
    assert rows(place, "SELECT name, run, custom_id, model, stop_reason, text, input_tokens FROM results") == [
        dict(zip(("name", "run", "custom_id", "model", "stop_reason", "text", "input_tokens"), row, strict=True))
        for row in (
            ("team-a/x", RUN, "7", "m", "end_turn", "ab", "3"),
            ("team-a/x", RUN, 'q"\n\r', "c", "stop", "chat", "5"),
            ("team-a/x", RUN, "tool", "m", "end_turn", "", "3"),
        )
    ]
    kept = "SELECT json_extract_scalar(json, '$.region') AS region FROM results WHERE custom_id = '7'"
    assert rows(place, kept) == [{"region": "EU"}]


def test_each_failure_is_there_once_with_its_cause(place: Place) -> None:
    """Lines to send again are no failures."""
    query = "SELECT custom_id, outcome, error_type, error, retryable, line_number FROM failures"
    names, values = query.split()[1:7], ("f", "errored", "overloaded_error", "Overloaded", "true", "4")
    assert rows(place, query) == [dict(zip((name.strip(",") for name in names), values, strict=True))]


def test_a_run_has_the_fields_of_its_receipt_and_not_those_inside_of_others(place: Place) -> None:
    """A text that quotes a receipt counts as text."""
    query = "SELECT name, project, status, code, requests, results, cost_usd, received_at FROM runs ORDER BY name"
    assert [list(row.values()) for row in rows(place, query)] == [
        ["team-a/x", "team-a", "completed", None, "4", "3", "0.000001200000", "2026-11-22T12:34:56Z"],
        ["y", None, "refused", "no-requests", None, None, None, None],
    ]


def test_the_answer_to_a_query_is_a_file_of_the_bucket(place: Place) -> None:
    """Whatever place the client asks for."""
    athena, group = place.aws.client("athena"), place.database.replace("_", "-")
    started = athena.start_query_execution(
        QueryString="SELECT 'a\"b' AS x, CAST(NULL AS bigint) AS y",
        WorkGroup=group,
        ResultConfiguration={"OutputLocation": f"s3://{place.bucket}/elsewhere/"},
    )["QueryExecutionId"]
    ask(athena, "SELECT 1", group, place.database)
    written = place.aws.client("s3").get_object(Bucket=place.bucket, Key=f"queries/{started}.csv")["Body"].read()
    assert written == b'"x","y"\n"a""b",\n'


@pytest.mark.parametrize(
    "query", ["SELECT list_value(1)", "SELECT * FROM nothing", "SELECT 1 +", "DELETE FROM results"]
)
def test_what_athena_does_not_know_fails(place: Place, query: str) -> None:
    """A query that works here only would fail on AWS."""
    with pytest.raises((Failed, ClientError)):
        rows(place, query)


def test_a_query_that_reads_too_much_is_cancelled(place: Place) -> None:
    """The limit is that of the workgroup. Reports count, too."""
    athena, s3, group = place.aws.client("athena"), place.aws.client("s3"), place.database.replace("_", "-")
    deployed = athena.get_work_group(WorkGroup=group)["WorkGroup"]["Configuration"]["BytesScannedCutoffPerQuery"]
    limit, report = "BytesScannedCutoffPerQuery", {"Bucket": place.bucket, "Key": f"results/z/{RUN}/report.html"}
    athena.update_work_group(WorkGroup=group, ConfigurationUpdates={limit: 10_000_000})
    s3.put_object(**report, Body=b"x" * 10_000_000)
    with pytest.raises(Failed, match="Bytes scanned limit"):
        rows(place, "SELECT count(*) FROM runs")
    s3.delete_object(**report)
    assert rows(place, "SELECT count(*) AS runs FROM runs") == [{"runs": "2"}]
    athena.update_work_group(WorkGroup=group, ConfigurationUpdates={limit: deployed})


def without_each(policy: Json) -> Iterator[Json]:
    """Yield a policy without one of its statements about queries after the other."""
    for number, statement in enumerate(policy["Statement"]):
        if statement["Sid"] != "FindStack":
            less = deepcopy(policy)
            del less["Statement"][number]
            yield less


def test_an_analyst_may_query_and_needs_every_statement_of_the_policy(place: Place) -> None:
    """Athena reads the catalog and the bucket as the one who asks, and writes the answer so."""
    iam, query = place.aws.client("iam"), "SELECT custom_id FROM results"

    def policy(document: Json) -> str:
        name = f"analyst-{uuid4().hex[:8]}"
        arn: str = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
        return arn

    with role_with(place.aws, policy(place.policy)) as client:
        assert len(rows(place, query, client("athena"))) == len(RESULTS)
    for less in without_each(place.policy):
        with role_with(place.aws, policy(less)) as client, pytest.raises((Failed, ClientError)):
            rows(place, query, client("athena"))
