"""Keys: those of AWS by default, and the company's for everything that is stored if it names one."""

import re

import pytest

from tests.support import template
from tests.support.template import Json

KEY = {"KmsKeyArn": "key"}
OWN = {"Ref": "KmsKeyArn"}
STORED = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Logs::LogGroup", "AWS::Athena::WorkGroup")
"""Kinds of resources that keep data of the stack."""
PROPERTIES: dict[str, tuple[Json, Json]] = {
    "AWS::S3::Bucket": (
        {"BucketEncryption": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
        {
            "BucketEncryption": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": OWN},
                }
            ]
        },
    ),
    "AWS::SQS::Queue": ({"SqsManagedSseEnabled": True}, {"KmsMasterKeyId": OWN}),
    "AWS::SNS::Topic": ({"KmsMasterKeyId": {"Ref": "TopicKey"}}, {"KmsMasterKeyId": OWN}),
    "AWS::Logs::LogGroup": ({}, {"KmsKeyId": OWN}),
    "AWS::Athena::WorkGroup": (
        {"EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}},
        {"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": OWN}},
    ),
}
"""What encrypts them: without the company's key, and with it."""


def encryption(resource: Json, chosen: dict[str, str]) -> Json:
    """Return the properties of a resource that are about its encryption."""
    known = template.decided(resource, chosen)
    known = (
        {"BucketEncryption": known["BucketEncryption"]["ServerSideEncryptionConfiguration"]}
        if ("BucketEncryption" in known)
        else known
    )
    known |= known.pop("WorkGroupConfiguration", {}).get("ResultConfiguration", {})
    return {name: value for name, value in known.items() if re.search("Encryption|Kms|Sse", name)}


@pytest.mark.parametrize("kind", STORED)
def test_what_is_stored_is_encrypted_with_the_companys_key_if_there_is_one(kind: str) -> None:
    """One that was forgotten would be found by the company's auditors."""
    without, with_key = PROPERTIES[kind]
    found = template.resources(kind)
    assert found
    for resource in found.values():
        assert encryption(resource, {}) == without
        assert encryption(resource, KEY) == with_key


def test_the_stack_has_a_key_of_its_own_only_without_the_companys() -> None:
    """It costs $1 a month, and would be one more that the company has to account for."""
    key = template.template()["Resources"]["TopicKey"]
    condition = template.template()["Conditions"][key["Condition"]]
    assert template.holds(condition, {})
    assert not template.holds(condition, KEY)
    everything = str(template.decided(template.template()["Resources"] | {"TopicKey": None}, KEY))
    assert "TopicKey" not in everything.replace("'TopicKey': None", "").replace("UseTopicKey", "")


def through(service: str) -> Json:
    """Return the condition of a statement that allows a key only when a service uses it."""
    return {"StringLike": {"kms:ViaService": {"Fn::Sub": f"{service}.${{AWS::Region}}.*"}}}


@pytest.mark.parametrize("role", template.resources("AWS::IAM::Role"))
def test_a_role_uses_the_companys_key_only_through_the_service_that_stores(role: str) -> None:
    """Whoever steals a function's credentials must not decrypt what other programs have encrypted with that key."""
    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    every = {"Sid": "UseKey", "Effect": "Allow", "Action": use, "Resource": OWN, "Condition": through("s3")}
    queue = every | {"Sid": "UseQueueKey", "Condition": through("sqs")}
    topic = {
        "Sid": "UseTopicKey",
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": OWN,
    }
    expected = {
        "SubmitRole": [every, queue], "PollRole": [every], "SplitRole": [every], "ReportRole": [every],
        "MachineRole": [topic], "RedMachineRole": [topic], "RedRuleRole": [],
    }  # fmt: skip
    of_keys = [each for each in template.statements(role, **KEY) if "kms:" in str(each["Action"])]
    assert of_keys == expected[role]


@pytest.mark.parametrize("role", template.resources("AWS::IAM::Role"))
def test_only_functions_that_read_the_api_key_use_the_key_of_the_secret(role: str) -> None:
    """A secret under the key of Secrets Manager needs no permission of its own."""
    added = [each for each in template.statements(role, SecretKmsKeyArn="key") if each not in template.statements(role)]
    reads = any(each["Sid"] == "ReadApiKey" for each in template.statements(role))
    statement = {
        "Sid": "UseSecretKey",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": {"Ref": "SecretKmsKeyArn"},
        "Condition": through("secretsmanager"),
    }
    assert added == ([statement] if reads else [])


@pytest.mark.parametrize("policy", template.resources("AWS::IAM::ManagedPolicy"))
def test_people_use_the_companys_key_through_the_bucket_only(policy: str) -> None:
    """Who drops files must not decrypt what other programs have encrypted with that key."""
    document = template.resources("AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"]
    before = template.statements_of(document)
    (added,) = [each for each in template.statements_of(document, **KEY) if each not in before]
    assert (added["Action"], added["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], OWN)
    assert added["Condition"]["StringLike"]["kms:ViaService"] == through("s3")["StringLike"]["kms:ViaService"]


@pytest.mark.parametrize("name", ["KmsKeyArn", "SecretKmsKeyArn"])
@pytest.mark.parametrize(
    ("arn", "taken"),
    [
        ("arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab", True),
        ("", True),
        ("arn:aws:kms:eu-central-1:123456789012:alias/company", False),
        ("alias/company", False),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", False),
    ],
)
def test_a_key_is_given_by_its_arn(name: str, arn: str, *, taken: bool) -> None:
    """A policy that names an alias allows nothing: every run would fail."""
    pattern = template.template()["Parameters"][name]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, arn)) is taken
