"""All services, and the patch that lets botocore's clients reach them instead of the network."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.httpsession import URLLib3Session

from tests.support.memory_aws.answers import json_answer
from tests.support.memory_aws.s3 import S3

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

type Json = dict[str, Any]

REGION = "us-east-1"
ACCOUNT = "000000000000"


class JsonRefused(Exception):  # an answer of AWS's, not a defect
    """An error that a service answers with."""


class MemoryAws:
    """S3, a machine whose executions end at once, and secrets."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.s3 = S3()
        self._executions: dict[str, Json] = {}
        self._secrets: dict[str, str] = {}

    @property
    def env(self) -> dict[str, str]:
        """The environment in which a client speaks as to the local AWS."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": "https://localhost",
        }

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let whatever botocore sends arrive here."""
        monkeypatch.setattr(URLLib3Session, "send", lambda _, request: self.serve(request))

    def serve(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request, as botocore has prepared it."""
        target: Any = request.headers.get("X-Amz-Target")
        if target is None:
            return self.s3.serve(request)
        call = (target if isinstance(target, bytes) else str(target).encode()).decode()
        body: Any = request.body
        try:
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
        """StartExecution: a name is taken once, since each execution has ended when the next one is started."""
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
