"""The template as it was deployed: every role, bucket and rule of ours, with names in place of functions."""

import json
from functools import cache

import pytest

from conveyor_cli.doctor.checks.policies import expected_of
from conveyor_cli.doctor.template import UNKNOWN, Names, Template
from tests.support import template
from tests.support.settings import template_parameters
from tests.support.template import Json

ACCOUNT, REGION = "111122223333", "eu-central-1"
ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/stack-SubmitFailureQueue-1"


@cache
def ids() -> dict[str, str]:
    """Return what AWS calls each resource. Only a test needs it: expanding the template takes a second."""
    return {
        name: {
            "AWS::SNS::Topic": ARN.format("sns", f"stack-{name}"),
            "AWS::StepFunctions::StateMachine": ARN.format("states", f"stateMachine:stack-{name}"),
            "AWS::SQS::Queue": QUEUE.replace("SubmitFailureQueue", name),
        }.get(resource["Type"], f"stack-{name}")
        for name, resource in template.transformed()["Resources"].items()
    }


def deployed(partition: str = "aws", **parameters: str) -> Template:
    """Return our template, deployed."""
    stack_id = ARN.format("cloudformation", "stack/stack/1")
    names = Names("stack", stack_id, REGION, ACCOUNT, partition, template_parameters(**parameters), ids())
    return Template(template.transformed(), names)


def statement(of: Template, role: str, sid: str) -> Json | None:
    """Return a statement of the only policy of a role."""
    (document,) = expected_of(of.properties(role)).inline.values()
    return next((each for each in document["Statement"] if each["Sid"] == sid), None)


@pytest.mark.parametrize("role", sorted(template.resources("AWS::IAM::Role")))
@pytest.mark.parametrize("auth", ["api-key", "aws"])
def test_nothing_in_a_role_is_unknown(role: str, auth: str) -> None:
    """Else a permission that is lacking would not be found."""
    properties = json.dumps(deployed(Auth=auth, WorkspaceId="wrkspc_1").properties(role))
    assert UNKNOWN not in properties
    assert "${" not in properties
    assert "Fn::" not in properties
    assert '"Ref"' not in properties


def test_names_are_put_in_as_cloudformation_does() -> None:
    """Of each type that a statement names."""
    of = deployed()

    def resource(role: str, sid: str) -> object:
        found = statement(of, role, sid)
        assert found
        return found["Resource"]

    assert resource("SubmitRole", "ReadDrop") == "arn:aws:s3:::stack-Bucket/inbox/*"
    assert resource("SubmitRole", "WriteLogs") == ARN.format("logs", "log-group:stack-SubmitLog:*")
    assert resource("SubmitRole", "QueueFailure") == ARN.format("sqs", "stack-SubmitFailureQueue-1")
    secret = ARN.format("secretsmanager", "secret:conveyor/api-key")
    assert resource("SubmitRole", "ReadApiKey") == [f"{secret}-??????", secret]
    assert resource("SubmitRole", "StartRun") == ARN.format("states", "stateMachine:stack-run")
    assert resource("MachineRole", "UseTopicKey") == ARN.format("kms", "key/stack-TopicKey")
    assert resource("MachineRole", "PublishMessage") == ids()["Topic"]
    assert ARN.format("lambda", "function:stack-Poll:*") in str(resource("MachineRole", "InvokeFunctions"))
    assert of.properties("SubmitUpload")["Targets"][0]["Arn"] == ARN.format("lambda", "function:stack-Submit")


def test_a_condition_decides_which_statements_there_are() -> None:
    """Where requests are signed, no key is read."""
    signed = deployed(Auth="aws", WorkspaceId="wrkspc_1")
    assert statement(signed, "SubmitRole", "ReadApiKey") is None
    assert statement(signed, "SubmitRole", "CreateBatches")
    assert statement(deployed(), "SubmitRole", "CreateBatches") is None


def test_another_partition_is_in_every_arn_that_is_made_here() -> None:
    """GovCloud has one of its own."""
    found = statement(deployed("aws-us-gov"), "SubmitRole", "ReadDrop")
    assert found
    assert found["Resource"] == "arn:aws-us-gov:s3:::stack-Bucket/inbox/*"


def test_what_only_cloudformation_knows_is_said_to_be_unknown() -> None:
    """It is not taken for anything else."""
    document = {"Resources": {"Thing": {"Type": "Any", "Properties": {
        "Of": {"Fn::GetAtt": ["Other", "Size"]}, "Chosen": {"Fn::Select": [0, ["a"]]}, "Kept": "${!Literal}",
        "Filled": {"Fn::Sub": ["${A}-${!B}", {"A": {"Fn::Join": ["+", ["x", "y"]]}}]},
    }}}}  # fmt: skip
    names = Names("stack", "", REGION, ACCOUNT, "aws", {}, {})
    properties = Template(document, names).properties("Thing")
    assert properties == {"Of": UNKNOWN, "Chosen": UNKNOWN, "Kept": "${!Literal}", "Filled": "x+y-${B}"}
