"""template.yaml as far as a deployment needs it: the parameters with their bounds, and the rules between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from deployment.answers.checks import IS_KEY, is_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

type Json = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """Reads `!Ref Bucket` as `{"Ref": "Bucket"}`, and `!Sub x` as `{"Fn::Sub": "x"}`."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # a node is one of three
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@dataclass(frozen=True)
class Parameter:
    """A parameter of the template."""

    name: str
    definition: Json

    @property
    def default(self) -> str | None:
        """Its default; None if it has none."""
        return text_of(self.definition["Default"]) if "Default" in self.definition else None

    def fault(self, value: str) -> str | None:
        """Say in words what CloudFormation would refuse about a value; None if it takes it."""
        if is_key(value):
            return f"{self.name} cannot be this: {IS_KEY}"
        allowed = self._allowed(value)
        return None if allowed is None else f'{self.name} cannot be "{value}"; expected {allowed}'

    def _allowed(self, value: str) -> str | None:
        """Return what is allowed, if the value is not."""
        of = self.definition
        if "AllowedValues" in of:
            values = [text_of(each) for each in of["AllowedValues"]]
            return None if value in values else f"one of: {', '.join(values)}"
        if of["Type"] == "Number":
            return self._allowed_number(value)
        if not of.get("MinLength", 0) <= len(value) <= of.get("MaxLength", len(value)):
            return f"{of.get('MinLength', 0)} to {of.get('MaxLength', 4096)} characters"
        if not re.fullmatch(of.get("AllowedPattern", "(?s).*"), value):
            return str(of.get("ConstraintDescription", of["AllowedPattern"]))
        return None

    def _allowed_number(self, value: str) -> str | None:
        least, most = (float(self.definition.get(name, value_of)) for name, value_of in _UNBOUNDED)
        try:
            is_allowed = least <= float(value) <= most
        except ValueError:
            is_allowed = False
        return None if is_allowed else f"a number, {least:,.10g} to {most:,.10g}"


_UNBOUNDED = (("MinValue", "-inf"), ("MaxValue", "inf"))


@dataclass(frozen=True)
class Template:
    """The template as it is written."""

    content: Json

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name."""
        return {name: Parameter(name, definition) for name, definition in self.content["Parameters"].items()}

    def complete(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the value of every parameter: the given one, else its default."""
        defaults = {name: each.default or "" for name, each in self.parameters.items()}
        return defaults | dict(given)

    def faults(self, given: Mapping[str, str]) -> list[str]:
        """Say what CloudFormation would refuse about values of known parameters, each and together."""
        alone = [fault for name, value in given.items() if (fault := self.parameters[name].fault(value))]
        return alone or self._broken_rules(self.complete(given))

    def _broken_rules(self, values: Mapping[str, str]) -> list[str]:
        return [
            assertion["AssertDescription"]
            for rule in self.content.get("Rules", {}).values()
            if "RuleCondition" not in rule or holds(rule["RuleCondition"], values)
            for assertion in rule["Assertions"]
            if not holds(assertion["Assert"], values)
        ]


def read(path: Path) -> Template:
    """Read a template."""
    return Template(yaml.load(path.read_text(), _Loader))  # noqa: S506 - a safe loader, with the tags of CloudFormation


def text_of(value: object) -> str:
    """Return a value of a parameter as CloudFormation takes it: `true` is `yes`, and a list has commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(text_of, value))
    return str(value)


def holds(condition: Json, values: Mapping[str, str]) -> bool:
    """Evaluate a function of a rule. Raises KeyError for one that the template did not use when this was written."""
    ((function, given),) = condition.items()
    return bool(_FUNCTIONS[function](given, values))


def _value(of: object, values: Mapping[str, str]) -> object:
    return values[of["Ref"]] if isinstance(of, dict) else of


_FUNCTIONS: Mapping[str, Any] = {
    "Fn::Equals": lambda given, values: _value(given[0], values) == _value(given[1], values),
    "Fn::Not": lambda given, values: not holds(given[0], values),
    "Fn::And": lambda given, values: all(holds(each, values) for each in given),
    "Fn::Or": lambda given, values: any(holds(each, values) for each in given),
    "Fn::Contains": lambda given, values: _value(given[1], values) in given[0],
}
