"""The template as it was deployed, with names, ARNs and parameters in place of its functions. Pure."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

type Json = dict[str, Any]

UNKNOWN = "(unknown)"
"""In place of what only CloudFormation knows, such as an attribute that is no ARN."""
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
_NOTHING = object()
"""What `AWS::NoValue` becomes: it is left out."""
_ARNS = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{id}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{id}:*",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{id}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{id}",
    "AWS::Events::Rule": "arn:{partition}:events:{region}:{account}:rule/{id}",
}
"""The attribute `Arn` of each type, by its physical id. `name`: what follows the last slash of it."""


_NAMES = {("AWS::SQS::Queue", "QueueName"): "/", ("AWS::SNS::Topic", "TopicName"): ":"}
"""Attributes that are the end of a physical id, and the last character before them."""


class Names(NamedTuple):
    """What the template refers to."""

    stack: str
    stack_id: str
    region: str
    account: str
    partition: str
    parameters: Mapping[str, str]
    ids: Mapping[str, str]
    """Physical ids by logical ids."""


class Template:
    """The resources of a deployed stack."""

    def __init__(self, document: Mapping[str, Any], names: Names) -> None:
        """Take the template after its transforms, and what its names stand for."""
        self._document = document
        self.names = names

    def ids(self, kind: str) -> dict[str, str]:
        """Return the physical ids of all resources of a type, by their logical ids."""
        of = {name: each for name, each in self._resources.items() if each["Type"] == kind}
        return {name: self.names.ids[name] for name in of if name in self.names.ids}

    def id(self, name: str) -> str:
        """Return the physical id of a resource that every stack has. Raises KeyError."""
        return self.names.ids[name]

    def properties(self, name: str) -> Json:
        """Return the properties of a resource, with names and parameters in their places."""
        found: Json = self._resolved(self._resources[name].get("Properties", {}))
        return found

    @cached_property
    def _resources(self) -> Mapping[str, Any]:
        resources: Mapping[str, Any] = self._document.get("Resources", {})
        return resources

    @cached_property
    def _pseudo(self) -> dict[str, object]:
        names = self.names
        return {
            "AWS::StackName": names.stack,
            "AWS::StackId": names.stack_id,
            "AWS::Region": names.region,
            "AWS::AccountId": names.account,
            "AWS::Partition": names.partition,
            "AWS::URLSuffix": "amazonaws.com.cn" if names.partition == "aws-cn" else "amazonaws.com",
            "AWS::NoValue": _NOTHING,
        }

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, list):
            return [each for each in map(self._resolved, value) if each is not _NOTHING]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((function, given),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._called(function, given)
        resolved = {key: self._resolved(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not _NOTHING}

    def _called(self, function: str, given: Any) -> Any:  # noqa: ANN401 - any JSON
        match function:
            case "Ref":
                return self._ref(given)
            case "Fn::GetAtt":
                name, _, attribute = given.partition(".") if isinstance(given, str) else (given[0], ".", given[1])
                return self._attribute(name, attribute)
            case "Fn::Sub":
                text, own = given if isinstance(given, list) else (given, {})
                return self._filled(text, {name: str(self._resolved(each)) for name, each in own.items()})
            case "Fn::If":
                condition, yes, no = given
                return self._resolved(yes if self._holds({"Condition": condition}) else no)
            case "Fn::Join":
                return str(given[0]).join(map(str, self._resolved(given[1])))
            case _:
                return UNKNOWN

    def _ref(self, name: str) -> object:
        for known in (self._pseudo, self.names.parameters, self.names.ids):
            if name in known:
                return known[name]
        return UNKNOWN

    def _attribute(self, name: str, attribute: str) -> str:
        kind, found = self._resources.get(name, {}).get("Type", ""), self.names.ids.get(name)
        if found is None:
            return UNKNOWN
        if (kind, attribute) in _NAMES:
            return found.rpartition(_NAMES[kind, attribute])[2]
        if attribute != "Arn":
            return UNKNOWN
        of = self.names._asdict() | {"id": found, "name": found.rpartition("/")[2]}
        if kind == "AWS::IAM::Role":
            path = self.properties(name).get("Path", "/")
            return "arn:{partition}:iam::{account}:role{path}{id}".format(**of, path=path)
        return _ARNS[kind].format(**of) if kind in _ARNS else found if found.startswith("arn:") else UNKNOWN

    def _filled(self, text: str, own: Mapping[str, str]) -> str:
        def value(found: re.Match[str]) -> str:
            is_literal, name = found.groups()
            if is_literal:
                return f"${{{name}}}"
            if name in own:
                return own[name]
            resource, dot, attribute = name.partition(".")
            return self._attribute(resource, attribute) if dot else str(self._ref(name))

        return _VARIABLE.sub(value, text)

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        """Return whether a condition is true."""
        ((function, given),) = condition.items()
        match function:
            case "Condition":
                return self._holds(self._document.get("Conditions", {})[given])
            case "Fn::Equals":
                first, second = map(self._resolved, given)
                return bool(str(first) == str(second))
            case "Fn::Not":
                return not self._holds(given[0])
            case "Fn::And":
                return all(map(self._holds, given))
            case "Fn::Or":
                return any(map(self._holds, given))
        raise ValueError(f"unknown condition function {function}")
