"""What an error of AWS, or on the way to it, means for a person at a desk."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from conveyor.s3.read_errors import is_hidden
from conveyor.wording.text import counted
from conveyor_cli.trouble import Trouble

type AwsError = BotoCoreError | ClientError | ResponseParserError
AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
"""All that a call of a client raises."""
_LOGIN = ("aws sso login --profile <profile>",)
_NOTHING_CHANGED = "Nothing was changed; runs go on without you."
_ACTIONS = {
    "ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject", "HeadObject": "s3:GetObject",
    "ListObjectVersions": "s3:ListBucketVersions", "DeleteObjects": "s3:DeleteObjectVersion",
    "PutObject": "s3:PutObject", "DescribeStacks": "cloudformation:DescribeStacks",
}  # fmt: skip
"""The action of a policy that an operation needs."""
_SAID = re.compile(
    r"(?:User: (?P<who>\S+) is )?not authorized to perform: (?P<action>\S+)(?: on resource: (?P<on>\S+))?"
)
UNAVAILABLE, NO_NETWORK, NOT_ALLOWED = "aws-unavailable", "no-network", "not-allowed"
PASSES = frozenset({NO_NETWORK, UNAVAILABLE})
"""Codes of troubles that may end by themselves. What was asked for may have been done."""
_SERVER_ERROR = 500
_TOO_OLD = "Signature expired"


@contextmanager
def explained() -> Iterator[None]:
    """Raise a Trouble for each error of AWS in the block."""
    try:
        yield
    except AWS_ERRORS as error:
        raise explain(error) from error


def answer(call: Callable[[], Any], *absent: str) -> dict[str, Any]:
    """Return what a service answers; nothing if it answers with a code that says that there is nothing."""
    try:
        found = call()
    except ClientError as error:
        if error.response["Error"].get("Code") in absent:
            return {}
        raise
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def explain(error: AwsError) -> Trouble:
    """Say what happened, what that means, and what to type."""
    if isinstance(error, ClientError):
        return _answered(error)
    for kinds, say in _RAISED:
        if isinstance(error, kinds):
            return say(error)
    return Trouble("aws-client", f"The AWS client cannot go on ({type(error).__name__})", _NOTHING_CHANGED)


def _no_credentials(_: Exception) -> Trouble:
    looked = "Looked in the environment, ~/.aws and the instance."
    return Trouble("no-credentials", "No AWS credentials found", f"{looked} {_NOTHING_CHANGED}", commands=_LOGIN)


def _expired(_: Exception) -> Trouble:
    return Trouble("credentials-expired", "Your AWS session has expired", _NOTHING_CHANGED, commands=_LOGIN)


def _no_profile(error: Exception) -> Trouble:
    return Trouble(
        "no-aws-profile",
        f'No AWS profile "{_detail(error, "profile")}"',
        "It is named by AWS_PROFILE, or was in force when this stack was chosen.",
        commands=("aws configure list-profiles",),
    )


def _no_region(_: Exception) -> Trouble:
    return Trouble(
        "no-region",
        "No Region is known",
        "Say in which Region the stack is, with --region or AWS_REGION.",
        commands=("conveyor use STACK --region eu-central-1",),
    )


def _no_network(error: Exception) -> Trouble:
    asked = _detail(error, "endpoint_url") or "its endpoint"
    check = "check the network, the proxy, and the name of the Region"
    return Trouble(NO_NETWORK, "AWS does not answer", f"Asked {asked}: {check}. {_NOTHING_CHANGED}")


def _no_aws(_: Exception) -> Trouble:
    more = f"A proxy, or the page of a guest network, may be in between. {_NOTHING_CHANGED}"
    return Trouble(NO_NETWORK, "Something else answers in place of AWS", more)


def _detail(error: Exception, name: str) -> str:
    return str(error.kwargs.get(name, "")) if isinstance(error, BotoCoreError) else ""


_RAISED: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception], Trouble]], ...] = (
    ((NoCredentialsError, PartialCredentialsError), _no_credentials),
    ((SSOError, TokenRetrievalError, CredentialRetrievalError), _expired),
    ((ProfileNotFound,), _no_profile),
    ((NoRegionError, InvalidRegionError), _no_region),
    ((ConnectionError, HTTPClientError), _no_network),
    ((ResponseParserError,), _no_aws),
)


def _answered(error: ClientError) -> Trouble:
    """Explain an error response."""
    code = error.response["Error"].get("Code") or ""
    if _message(error).startswith(_TOO_OLD):
        return _clock(error)
    for codes, say in _ANSWERED:
        if code in codes:
            return say(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Trouble(
        UNAVAILABLE if status >= _SERVER_ERROR else "aws-refused",
        f"AWS answers {_action(error)} with {code} (HTTP {status})",
        f"Try again in a minute. {_NOTHING_CHANGED}",
    )


def _refused(error: ClientError) -> Trouble:
    code = error.response["Error"]["Code"]
    why = f"The key was deleted, or is of another kind of account ({code})."
    more = f"{why} {_NOTHING_CHANGED}"
    return Trouble("credentials-refused", "AWS does not accept these credentials", more, commands=_LOGIN)


def _no_bucket(_: ClientError) -> Trouble:
    return Trouble(
        "no-bucket",
        "The bucket of this stack does not exist any more",
        "The stack was probably deleted, or created again: look it up once more.",
        commands=("conveyor use STACK",),
    )


def _no_object(error: ClientError) -> Trouble:
    key = str({**error.response["Error"]}.get("Key", ""))  # S3 says it
    name = key.rpartition("/")[2] or "What is asked for"
    return Trouble("file-gone", f"{name} does not exist any more", f"It was deleted, or erased. {_NOTHING_CHANGED}")


def _elsewhere(_: ClientError) -> Trouble:
    return Trouble(
        "wrong-region",
        "The bucket of this stack is in another Region",
        "Choose the stack once more, with its Region.",
        commands=("conveyor use STACK --region REGION",),
    )


def _denied(error: ClientError) -> Trouble:
    if error.operation_name == "GetObject" and is_hidden(_message(error)):
        return _no_object(error)
    said = _SAID.search(_message(error))
    action = said["action"] if said else _action(error)
    on = f" on {said['on'].rstrip('.,')}" if said and said["on"] else ""
    who = said["who"] if said and said["who"] else "Your role"
    return Trouble(
        NOT_ALLOWED,
        f"Not allowed: {action}{on}",
        f"{who} may not do that. Ask the administrator of the stack for this permission. {_NOTHING_CHANGED}",
    )


def _message(error: ClientError) -> str:
    """Return the message; an empty one is none."""
    return error.response["Error"].get("Message") or ""


def _action(error: ClientError) -> str:
    return _ACTIONS.get(error.operation_name, error.operation_name)


def _clock(error: ClientError) -> Trouble:
    """Say how wrong the clock of this machine is, by the time of the response."""
    date = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    message = "The clock of this machine is wrong"
    if date:
        minutes = round((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() / 60)
        message = f"The clock of this machine is {counted(abs(minutes), 'minute')} {'slow' if minutes > 0 else 'fast'}"
    return Trouble("wrong-clock", message, "AWS refuses requests from 5 minutes on.", _NOTHING_CHANGED)


_ANSWERED: tuple[tuple[frozenset[str], Callable[[ClientError], Trouble]], ...] = (
    (frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"}), _clock),
    (frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}), _expired),
    (
        frozenset({
            "AuthFailure", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        }),
        _refused,
    ),
    (
        frozenset({"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"}),
        _denied,
    ),
    (frozenset({"NoSuchBucket"}), _no_bucket),
    (frozenset({"NoSuchKey"}), _no_object),
    (frozenset({"301", "AuthorizationHeaderMalformed", "PermanentRedirect"}), _elsewhere),
)  # fmt: skip
