"""A stack that encrypts with the keys of a company, whose policy is that of `docs/company.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.process import interruptible
from local.stack.deployment import STACK_NAME
from local.stack.start import local_stack
from tests.support.company import create_key, key_policy
from tests.support.system.scene import LINE, Scene
from tests.system.conftest import PARAMETERS, PROVIDER, WAIT_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws
    from local.stack.stack import Stack

OF_ACCOUNT = {"PoliciesOfTheAccount"}


def keys_of_the_company(aws: Aws) -> dict[str, str]:
    """Create a key for the stack, and another one for the secret, which no service of AWS uses."""
    for_secret = [each for each in key_policy() if each["Sid"] in OF_ACCOUNT]
    return {"KmsKeyArn": create_key(aws, key_policy()), "SecretKmsKeyArn": create_key(aws, for_secret)}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy a stack with keys."""
    running = local_stack(
        wait_scale=WAIT_SCALE, provider_settings=PROVIDER, parameters=PARAMETERS, prepare=keys_of_the_company
    )
    with interruptible(), running as stack:
        yield stack


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Read the names of the deployed roles by those in the template."""
    resources = stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


def test_a_drop_completes_and_all_that_is_written_is_encrypted_with_the_companys_key(
    stack: Stack, roles: dict[str, str]
) -> None:
    """Its message comes, too, through the topic that the key encrypts. The stack has no key of its own."""
    stack.drop(LINE.encode(), "inbox/kept.jsonl")
    assert stack.wait_for_message("inbox/kept.jsonl").status == "completed"
    found = {key: stack.s3.head_object(Bucket=stack.bucket, Key=key).get("SSEKMSKeyId") for key in stack.keys("")}
    assert len(found) > 10
    assert set(found.values()) == {stack.parameters["KmsKeyArn"]}
    assert "TopicKey" not in roles


def test_a_drop_with_a_foreign_key_is_refused_at_once_and_says_what_to_do(stack: Stack, roles: dict[str, str]) -> None:
    """It is not retried for a day; other drops go on. With the key of S3 a drop is read."""
    owner = {"AWS": f"{roles['SubmitRole']}-of-somebody-else"}
    foreign = create_key(stack.aws, [{"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}])
    put: Any = {"Bucket": stack.bucket, "Body": LINE.encode(), "ServerSideEncryption": "aws:kms"}
    stack.s3.put_object(Key="inbox/foreign.jsonl", SSEKMSKeyId=foreign, **put)
    message = stack.wait_for_message("inbox/foreign.jsonl")
    assert message.status == "refused"
    text = " ".join(message.text.split())
    assert "S3 may not use the KMS key it is encrypted with" in text
    assert "allow the roles of the stack's functions kms:Decrypt" in text
    assert "aws s3 cp foreign.jsonl s3://" in text
    assert foreign not in text
    stack.s3.put_object(Key="inbox/of-s3.jsonl", **put)
    assert stack.wait_for_message("inbox/of-s3.jsonl").status == "completed"


def test_a_key_that_is_disabled_refuses_a_drop_and_says_so(stack: Stack) -> None:
    """The object was readable when it was uploaded."""
    disabled = create_key(stack.aws, key_policy())
    stack.aws.client("kms").disable_key(KeyId=disabled)
    put: Any = {
        "Bucket": stack.bucket, "Body": LINE.encode(), "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": disabled
    }  # fmt: skip
    with pytest.raises(stack.s3.exceptions.ClientError, match="is disabled"):
        stack.s3.put_object(Key="inbox/disabled.jsonl", **put)
    stack.aws.client("kms").enable_key(KeyId=disabled)
    rule = stack.aws.client("events")
    (name,) = [each["Name"] for each in rule.list_rules()["Rules"] if "SubmitUpload" in each["Name"]]
    rule.disable_rule(Name=name)
    version = stack.s3.put_object(Key="inbox/disabled.jsonl", **put)["VersionId"]
    stack.aws.client("kms").disable_key(KeyId=disabled)
    rule.enable_rule(Name=name)
    event = {"bucket": {"name": stack.bucket}, "object": {"key": "inbox/disabled.jsonl", "version-id": version}}
    Scene(stack, "", "").submit_again({"requestPayload": {"detail": event}})
    message = stack.wait_for_message("inbox/disabled.jsonl")
    assert (message.status, "enable the key" in " ".join(message.text.split())) == ("refused", True)


def test_without_the_key_an_upload_waits_in_the_failure_queue(stack: Stack, roles: dict[str, str]) -> None:
    """The permission concerns every drop: none is refused, and the error names what is missing."""
    scene = Scene(stack, roles["SubmitRole"], "UseKey")
    with scene.without():
        version = stack.drop(LINE.encode(), scene.key)
        account = scene.wait(scene.failed_upload, "failed upload")
    assert "not authorized to perform: kms:" in account["responsePayload"]["errorMessage"]
    scene.submit_again(account)
    assert scene.run_of(version).first_status() == "completed"


def test_if_the_key_of_the_bucket_is_changed_uploads_wait_and_runs_go_on_when_it_is_set_back(
    stack: Stack, roles: dict[str, str]
) -> None:
    """As a remediation of an organization may do. Nothing is lost."""
    scene = Scene(stack, roles["SubmitRole"], "remediation")
    other = create_key(stack.aws, [key_policy()[0]])
    configuration = stack.s3.get_bucket_encryption(Bucket=stack.bucket)["ServerSideEncryptionConfiguration"]
    default: Any = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": other}
    changed: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    stack.s3.put_bucket_encryption(Bucket=stack.bucket, ServerSideEncryptionConfiguration=changed)
    version = stack.drop(LINE.encode(), scene.key)
    account = scene.wait(scene.failed_upload, "failed upload")
    stack.s3.put_bucket_encryption(Bucket=stack.bucket, ServerSideEncryptionConfiguration=configuration)
    assert "not authorized to perform: kms:GenerateDataKey" in account["responsePayload"]["errorMessage"]
    copied: Any = {"Bucket": stack.bucket, "Key": scene.key}
    assert stack.s3.head_object(**copied)["SSEKMSKeyId"] == other
    version = stack.s3.copy_object(**copied, CopySource=copied, MetadataDirective="REPLACE")["VersionId"]
    assert scene.run_of(version).first_status() == "completed"


@pytest.mark.parametrize("role", ["PollRole", "SplitRole", "ReportRole"])
def test_each_function_needs_the_key_and_its_runs_go_on_once_it_has_it(
    stack: Stack, roles: dict[str, str], role: str
) -> None:
    """Ledger and content are encrypted with it."""
    scene = Scene(stack, roles[role], "UseKey")
    with scene.without():
        run = scene.drop()
        scene.wait(lambda: scene.refusal(run, "kms:"), "task that may not use the key")
    assert run.first_status() == "completed"


def test_the_secret_is_read_with_its_own_key(stack: Stack, roles: dict[str, str]) -> None:
    """Without it nothing is sent, and the run goes on once the permission is there."""
    scene = Scene(stack, roles["SubmitRole"], "UseSecretKey")
    with scene.without():
        run = scene.drop()
        scene.wait(
            lambda: [event for event in run.events() if "Access to KMS is not allowed" in str(event)] or None,
            "task that may not use the key of the secret",
        )
        assert not run.has("batches/1/attempt-1.json")
    assert run.first_status() == "completed"


def test_an_upload_that_fails_is_queued_with_the_key(stack: Stack, roles: dict[str, str]) -> None:
    """Lambda encrypts what it puts there with the permissions of submit; without them it is lost, and counted."""
    scene = Scene(stack, roles["SubmitRole"], "UseQueueKey")
    with scene.without("ReadDrop"):
        with scene.without():
            stack.drop(LINE.encode(), scene.key)
            scene.wait(lambda: "lost a failed event" in stack.aws.log.read_text() or None, "lost upload")
            assert scene.failed_upload() is None
        stack.drop(LINE.encode(), scene.key)
        account = scene.wait(scene.failed_upload, "failed upload")
    scene.submit_again(account)
    assert stack.wait_for_message(scene.key).status == "completed"
