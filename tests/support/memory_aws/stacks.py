"""CloudFormation's and STS's calls of a person at a desk, as botocore sends them: forms that are answered with XML."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.support.memory_aws.answers import answer, element

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSResponse

ACCOUNT = "000000000000"
_CREATED = "2026-11-24T08:00:00Z"


def stack_id(name: str) -> str:
    """Return the ARN of a stack."""
    return f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{name}/7b2f0c1a"


class Stack(NamedTuple):
    """A deployed stack."""

    outputs: Mapping[str, str]
    status: str = "CREATE_COMPLETE"
    parameters: Mapping[str, str] = MappingProxyType({})

    def written(self, name: str) -> str:
        """Return it as a member of the list of stacks."""
        outputs = "".join(
            element("member", {"OutputKey": key, "OutputValue": value}) for key, value in self.outputs.items()
        )
        parameters = "".join(
            element("member", {"ParameterKey": key, "ParameterValue": value}) for key, value in self.parameters.items()
        )
        about = {"StackId": stack_id(name), "StackName": name, "StackStatus": self.status, "CreationTime": _CREATED}
        told = "".join(element(key, escape(value)) for key, value in about.items())
        return element("member", told + element("Outputs", outputs) + element("Parameters", parameters))


class Stacks:
    """The stacks of an account in one Region."""

    def __init__(self) -> None:
        """Start without stacks."""
        self.named: dict[str, Stack] = {}

    def serve(self, form: bytes) -> AWSResponse:
        """Answer DescribeStacks or GetCallerIdentity."""
        asked = {name: values[0] for name, values in parse_qs(form.decode()).items()}
        if asked["Action"] == "GetCallerIdentity":
            return _answered("GetCallerIdentity", element("Account", ACCOUNT))
        if asked["Action"] != "DescribeStacks":
            return refused(501, "NotImplemented", asked["Action"])
        name = asked.get("StackName")
        if name is not None and name not in self.named:
            return refused(400, "ValidationError", "Stack with this id does not exist")
        shown = {name: self.named[name]} if name is not None else self.named
        members = "".join(stack.written(each) for each, stack in shown.items())
        return _answered("DescribeStacks", element("Stacks", members))


def refused(status: int, code: str, message: str) -> AWSResponse:
    """Return an error response."""
    return answer(status, element("ErrorResponse", element("Error", {"Code": code, "Message": message})))


def _answered(operation: str, content: str) -> AWSResponse:
    return answer(200, element(f"{operation}Response", element(f"{operation}Result", content)))
