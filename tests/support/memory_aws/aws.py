"""All services in memory, and the patch that sends botocore's requests to them instead of the network."""

from __future__ import annotations

import json
import os
import time
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.utils
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session
from botocore.regions import EndpointResolverBuiltins, EndpointRulesetResolver
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString

from tests.support.memory_aws.answers import json_answer
from tests.support.memory_aws.at_once import AtOnce
from tests.support.memory_aws.s3 import S3
from tests.support.memory_aws.short_way import short_way
from tests.support.memory_aws.stacks import ACCOUNT, Stacks

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
    from botocore.endpoint_provider import RuleSetEndpoint

type Json = dict[str, Any]

URL = "https://memory.test"
REGION = "us-east-1"


class JsonRefused(Exception):  # an AWS error response, not a defect
    """An error response of a service."""


class MemoryAws:
    """S3, a state machine whose executions end at once, secrets, and the outputs of stacks."""

    def __init__(self) -> None:
        """Start empty."""
        self.s3 = S3()
        self.stacks = Stacks()
        self._one_at_a_time = Lock()
        self._executions: dict[str, Json] = {}
        self._secrets: dict[str, str] = {}

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for a client."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": URL,
        }

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the clients that this process builds ask this AWS, and answer them."""
        for name, value in self.env.items():
            monkeypatch.setenv(name, value)
        self.install(monkeypatch)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer requests to `URL`; all others are sent as before.

        Left out or cached is what took most of the time and what no history is about: building a client, finding the
        endpoint, signing a request, naming the user agent, parsing a timestamp. What is played on the local AWS has
        all of it.
        """
        # Beside another AWS in memory this one builds its own clients, since each answers for one S3.
        made = getattr(boto3.Session.client, "made", boto3.Session.client)
        sent, signed = URLLib3Session.send, RequestSigner.sign
        found = EndpointRulesetResolver.construct_endpoint
        built = cache(partial(self._built, partial(made, boto3.Session())))
        endpoints: dict[tuple[Any, ...], RuleSetEndpoint] = {}

        def client(session: boto3.Session, service: Any, *where: Any, **how: Any) -> Any:
            is_here = os.environ.get("AWS_ENDPOINT_URL") == URL
            return built(service, *where, **how) if is_here else made(session, service, *where, **how)

        client.made = made  # type: ignore[attr-defined]

        def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
            return self.serve(request) if request.url.startswith(URL) else sent(session, request)

        def sign(signer: RequestSigner, operation: str, request: AWSRequest, *how: Any, **more: Any) -> None:
            if not str(request.url).startswith(URL):
                signed(signer, operation, request, *how, **more)

        def find(resolver: Any, operation_model: Any, call_args: Any, request_context: Any) -> RuleSetEndpoint:
            if resolver._builtins.get(EndpointResolverBuiltins.SDK_ENDPOINT) != URL:  # noqa: SLF001
                return found(resolver, operation_model, call_args, request_context)
            asked = (resolver, operation_model.name, call_args.get("Bucket"))
            if (endpoint := endpoints.get(asked)) is None:
                endpoint = endpoints[asked] = found(resolver, operation_model, call_args, request_context)
            return endpoint

        monkeypatch.setattr(boto3.Session, "client", client)
        monkeypatch.setattr(EndpointRulesetResolver, "construct_endpoint", find)
        monkeypatch.setattr(URLLib3Session, "send", send)
        monkeypatch.setattr(RequestSigner, "sign", sign)
        sender: Any = Endpoint
        monkeypatch.setattr(Endpoint, "_send_request", short_way(URL, sender._send_request))  # noqa: SLF001
        monkeypatch.setattr(UserAgentString, "to_string", lambda _: "tests")
        parser = "_parse_timestamp_with_tzinfo"  # called with the same few timestamps again and again
        monkeypatch.setattr(botocore.utils, parser, cache(getattr(botocore.utils, parser)))

    def _built(self, build: Callable[..., Any], service: str, *where: Any, **how: Any) -> Any:
        """Build a client. Where requests are recorded, each is sent."""
        client = build(service, *where, **how)
        if service == "s3" and type(self).serve is MemoryAws.serve and client.meta.endpoint_url == URL:
            client._make_api_call = AtOnce(self.s3, client)  # noqa: SLF001 - all methods of a client call it
        return client

    def serve(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request prepared by botocore."""
        target: Any = request.headers.get("X-Amz-Target")
        if target is None:
            is_form = request.method == "POST" and urlsplit(str(request.url)).path in {"", "/"}
            form: Any = request.body
            return self.stacks.serve(form) if is_form else self.s3.serve(request)
        call = (target if isinstance(target, bytes) else str(target).encode()).decode()
        body: Any = request.body
        try:
            with self._one_at_a_time:
                return json_answer(_CALLS[call.rsplit(".", 1)[-1]](self, json.loads(body)))
        except JsonRefused as refused:
            return json_answer({"__type": str(refused), "message": "As AWS words it."}, 400)

    def create_secret(self, asked: Json) -> Json:
        """CreateSecret and PutSecretValue."""
        self._secrets[asked.get("Name") or asked["SecretId"]] = asked["SecretString"]
        return {}

    def secret(self, asked: Json) -> Json:
        """GetSecretValue."""
        if asked["SecretId"] not in self._secrets:
            raise JsonRefused("ResourceNotFoundException")
        return {"Name": asked["SecretId"], "SecretString": self._secrets[asked["SecretId"]]}

    def create_machine(self, asked: Json) -> Json:
        """CreateStateMachine: one that ends at once."""
        return {"stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{asked['name']}", "creationDate": 0}

    def start(self, asked: Json) -> Json:
        """StartExecution: a name can be used once, since each execution has ended when the next one is started."""
        arn = f"{asked['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{asked['name']}"
        if arn in self._executions:
            raise JsonRefused("ExecutionAlreadyExists")
        self._executions[arn] = {
            **{name: asked[name] for name in ("stateMachineArn", "name", "input")},
            "executionArn": arn,
            "status": "SUCCEEDED",
            "startDate": time.time(),
        }
        return {"executionArn": arn, "startDate": self._executions[arn]["startDate"]}

    def executions(self, asked: Json) -> Json:
        """ListExecutions: the latest first."""
        found = [each for each in self._executions.values() if each["stateMachineArn"] == asked["stateMachineArn"]]
        return {"executions": found[::-1][: asked.get("maxResults", 100)]}

    def execution(self, asked: Json) -> Json:
        """DescribeExecution."""
        if asked["executionArn"] not in self._executions:
            raise JsonRefused("ExecutionDoesNotExist")
        return self._executions[asked["executionArn"]]


_CALLS: dict[str, Callable[[MemoryAws, Json], Json]] = {
    "CreateSecret": MemoryAws.create_secret,
    "PutSecretValue": MemoryAws.create_secret,
    "GetSecretValue": MemoryAws.secret,
    "CreateStateMachine": MemoryAws.create_machine,
    "StartExecution": MemoryAws.start,
    "ListExecutions": MemoryAws.executions,
    "DescribeExecution": MemoryAws.execution,
}
