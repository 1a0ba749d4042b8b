"""Reads who asks, the stack, its bucket and its roles."""

from typing import Any

from conveyor.config import read_config
from conveyor_cli.aws.errors import answer
from conveyor_cli.doctor.checks import bucket, policies, stack
from conveyor_cli.doctor.finding import Finding
from conveyor_cli.doctor.reading.desk import Desk
from conveyor_cli.drops.deployed import settings_of

type Json = dict[str, Any]


def credentials(desk: Desk) -> Finding:
    """Ask who asks."""
    return stack.credentials(desk.region, desk.client("sts").get_caller_identity())


def deployed(desk: Desk) -> Finding:
    """Read the status of the stack, and its release."""
    return stack.stack(desk.profile, desk.status)


def parameters(desk: Desk) -> Finding:
    """Read the parameters as the functions do."""
    return stack.parameters(settings_of(desk.profile))


def the_bucket(desk: Desk) -> Finding:
    """Read how the bucket keeps what is in it."""
    s3, of = desk.client("s3"), {"Bucket": desk.bucket}
    encryption = answer(lambda: s3.get_bucket_encryption(**of), "ServerSideEncryptionConfigurationNotFoundError")
    policy = answer(lambda: s3.get_bucket_policy(**of), "NoSuchBucketPolicy")
    block = answer(lambda: s3.get_public_access_block(**of), "NoSuchPublicAccessBlockConfiguration")
    return bucket.bucket(
        desk.bucket,
        desk.region,
        desk.template.properties("Bucket"),
        desk.template.properties("BucketPolicy")["PolicyDocument"],
        s3.get_bucket_versioning(**of),
        encryption.get("ServerSideEncryptionConfiguration", {}),
        block.get("PublicAccessBlockConfiguration", {}),
        policies.document(policy.get("Policy", "{}")),
    )


def notifications(desk: Desk) -> Finding:
    """Read where the bucket sends its events."""
    found = answer(lambda: desk.client("s3").get_bucket_notification_configuration(Bucket=desk.bucket))
    return bucket.notifications(desk.bucket, desk.region, found)


def lifecycle(desk: Desk) -> Finding:
    """Read the rules of the lifecycle."""
    s3 = desk.client("s3")
    found = answer(lambda: s3.get_bucket_lifecycle_configuration(Bucket=desk.bucket), "NoSuchLifecycleConfiguration")
    return bucket.lifecycle(desk.bucket, desk.region, desk.template.properties("Bucket"), found)


def limits(desk: Desk) -> Finding:
    """Read limits of projects, and prices, as the functions do."""
    config = read_config(desk.chosen.bucket)
    return stack.limits(desk.bucket, config.faults, len(config.budgets.projects))


def roles(desk: Desk) -> Finding:
    """Read what each role of the stack may do."""
    pairs = {
        name: (policies.expected_of(desk.template.properties(name)), _role(desk, role))
        for name, role in desk.template.ids("AWS::IAM::Role").items()
    }
    return policies.roles(desk.region, pairs)


def _role(desk: Desk, role: str) -> policies.Role:
    iam, of = desk.client("iam"), {"RoleName": role}
    listed = answer(lambda: iam.list_role_policies(**of), "NoSuchEntity")
    if not listed:
        return policies.Role(role, {}, is_there=False)
    inline = {name: iam.get_role_policy(**of, PolicyName=name)["PolicyDocument"] for name in listed["PolicyNames"]}
    attached = iam.list_attached_role_policies(**of)["AttachedPolicies"]
    return policies.Role(role, inline, tuple(each["PolicyArn"] for each in attached))
