"""The page for auditors says only what the template has."""

import re

import pytest

from tests.support import template

PAGE = (template.PROJECT / "docs" / "compliance.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("\nWhere an account")[0].splitlines()
    if line.startswith("| ")
][1:]
FOUND = {
    "I4010", "W3011", "CKV_AWS_18", "CKV_AWS_27", "CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_158",
    "CKV_AWS_173", "CT.STEPFUNCTIONS.PR.1", "CT.STEPFUNCTIONS.PR.2",
}  # fmt: skip
"""What the tools have found in this template."""


def test_every_finding_is_answered_once() -> None:
    """An auditor looks for the id."""
    named = [name for row in ROWS for name in re.findall(r"\b(?:CKV_AWS_\d+|CT\.[A-Z0-9.]+\d|[IW]\d{4})\b", row[0])]
    assert sorted(named) == sorted(FOUND)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.split("[,:]", row[0])[0])
def test_an_option_is_a_parameter(row: list[str]) -> None:
    """One that does not exist could not be set."""
    _, _, verdict, answer = row
    assert verdict in {"real", "option", "false", "met"}
    parameters = set(re.findall(r"`([A-Z]\w+)(?:=\w+)?`", answer)) & template.template()["Parameters"].keys()
    assert bool(parameters) >= (verdict == "option")


def test_what_is_called_false_or_real_is_so() -> None:
    """The answers about functions and bucket."""
    functions = template.functions().values()
    assert not any(function.keys() & {"VpcConfig", "KmsKeyArn", "DeadLetterConfig"} for function in functions)
    bucket = template.resources("AWS::S3::Bucket")["Bucket"]
    assert not bucket.keys() & {"LoggingConfiguration", "ObjectLockEnabled", "ReplicationConfiguration"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "OnFailure" in template.resources("AWS::Lambda::EventInvokeConfig")["SubmitRetries"]["DestinationConfig"]
    asynchronous = [rule["Targets"][0]["Arn"] for rule in template.resources("AWS::Events::Rule").values()]
    assert {"Fn::GetAtt": ["Submit", "Arn"]} in asynchronous
