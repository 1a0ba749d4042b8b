"""A token of an identity provider opens a role of the local AWS under the same conditions as on AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support.web_identity import AUDIENCE, ISSUER, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.local_aws import Aws

SUBJECT = "repo:octo-org/octo-repo:ref:refs/heads/main"
HOST = ISSUER.removeprefix("https://")


@pytest.fixture(scope="module")
def role(aws: Aws) -> str:
    """Create the provider, and a role that trusts one branch of one repository for two hours."""
    iam = aws.client("iam")
    provider = iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=[AUDIENCE])["OpenIDConnectProviderArn"]
    conditions = {"StringEquals": {f"{HOST}:aud": AUDIENCE, f"{HOST}:sub": SUBJECT}}
    trust = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**trust, "Condition": conditions}]})
    made = iam.create_role(RoleName=f"ci-{uuid4().hex[:8]}", AssumeRolePolicyDocument=document, MaxSessionDuration=7200)
    arn: str = made["Role"]["Arn"]
    return arn


def assume(aws: Aws, role: str, given: str, **more: int) -> dict[str, Any]:
    """Take the role with a token, which needs no key of AWS."""
    answer = aws.client("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="ci", WebIdentityToken=given, **more
    )
    keys: dict[str, Any] = answer["Credentials"]
    return keys


def test_a_token_of_the_branch_takes_the_role(aws: Aws, role: str) -> None:
    """For as long as the role allows."""
    assert assume(aws, role, token(SUBJECT), DurationSeconds=7200)["SessionToken"]


OTHERS: dict[str, tuple[Callable[[], str], str]] = {
    "branch": (lambda: token("repo:octo-org/octo-repo:ref:refs/heads/other"), "AccessDenied"),
    "repository": (lambda: token("repo:octo-org/other:ref:refs/heads/main"), "AccessDenied"),
    "pull request": (lambda: token("repo:octo-org/octo-repo:pull_request"), "AccessDenied"),
    "audience": (lambda: token(SUBJECT, audience="https://github.com/octo-org"), "InvalidIdentityToken"),
    "issuer": (lambda: token(SUBJECT, issuer="https://ci.example.com"), "InvalidIdentityToken"),
    "expired": (lambda: token(SUBJECT, seconds=-1), "ExpiredTokenException"),
    "half": (lambda: token(SUBJECT).rpartition(".")[0], "InvalidIdentityToken"),
    "no JSON": (lambda: "a.bm8gSlNPTg.c", "InvalidIdentityToken"),
}
"""Each token is made when it is used: it is valid for five minutes."""


@pytest.mark.parametrize(("given", "code"), OTHERS.values(), ids=OTHERS)
def test_another_token_is_refused(aws: Aws, role: str, given: Callable[[], str], code: str) -> None:
    """Of another branch, repository or event, for another service, of another issuer, or an old one."""
    with pytest.raises(ClientError, match=code):
        assume(aws, role, given())


def test_a_session_is_no_longer_than_the_role_allows(aws: Aws, role: str) -> None:
    """Two hours."""
    with pytest.raises(ClientError, match="MaxSessionDuration"):
        assume(aws, role, token(SUBJECT), DurationSeconds=7201)
