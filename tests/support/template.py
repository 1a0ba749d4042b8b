"""What is deployed, as plain dictionaries: the template as written, as AWS's SAM transform expands it, and its parts.

Intrinsics are in their long form, so `!Ref Bucket` is `{"Ref": "Bucket"}` and `!GetAtt Bucket.Arn` is
`{"Fn::GetAtt": ["Bucket", "Arn"]}`.
"""

import copy
import functools
import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped] # it ships no types

type Json = dict[str, Any]

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT / "template.yaml"
NO_VALUE = {"Ref": "AWS::NoValue"}
FUNCTIONS = ("Submit", "Poll", "Split", "Report")


@functools.cache
def template() -> Json:
    """Read the template as it is written."""
    parsed: Json = yaml_parse(SOURCE.read_text())
    return parsed


@functools.cache
def transformed(layer: str = "s3://packages/layer") -> Json:
    """Expand the template as CloudFormation does after `sam package`, whose uploads the s3 addresses stand for."""
    # Imported here, because it takes seconds, and most tests only read the template as it is written.
    from samtranslator.parser.parser import Parser  # type: ignore[import-untyped] # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # type: ignore[import-untyped] # noqa: PLC0415

    packaged = copy.deepcopy(template())
    for resource in packaged["Resources"].values():
        uploads = {"CodeUri": "s3://packages/code", "ContentUri": layer, "DefinitionUri": "s3://packages/definition"}
        properties = resource.get("Properties", {})
        properties.update({name: address for name, address in uploads.items() if name in properties})
    # The transform asks for a Region to build names with, and for the ARNs of managed policies, of which we use none.
    with mock.patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):
        expanded: Json = Translator({}, Parser()).translate(packaged, {})
    return expanded


@functools.cache
def definition() -> Json:
    """Read the state machine's definition, its `${…}` substitutions still in it."""
    parsed: Json = json.loads((PROJECT / "statemachine/run.asl.json").read_text())
    return parsed


def resources(kind: str) -> dict[str, Json]:
    """Return the properties of every resource of one type, by logical id."""
    every = template()["Resources"].items()
    return {name: resource["Properties"] for name, resource in every if resource["Type"] == kind}


def functions() -> dict[str, Json]:
    """Return the properties of every function as deployed, Globals included."""
    deployed = transformed()["Resources"]
    return {name: deployed[name]["Properties"] for name in FUNCTIONS}


def statements(role: str, **chosen: str) -> list[Json]:
    """Return the statements of a role's policy, with the chosen parameters and defaults for the rest."""
    (policy,) = resources("AWS::IAM::Role")[role]["Policies"]
    return statements_of(policy["PolicyDocument"], **chosen)


def statements_of(document: Json, **chosen: str) -> list[Json]:
    """Return the statements of a policy document, with the chosen parameters and defaults for the rest."""
    listed: list[Json] = decided(document["Statement"], chosen)
    return listed


def decided(value: Any, chosen: dict[str, str]) -> Any:  # anything a template holds
    """Evaluate each `If` in a value, and leave out what has no value then."""
    while isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        value = yes if holds(template()["Conditions"][condition], chosen) else no
    if isinstance(value, dict):
        known = {name: decided(each, chosen) for name, each in value.items()}
        return {name: each for name, each in known.items() if each != NO_VALUE}
    if isinstance(value, list):
        return [each for each in (decided(each, chosen) for each in value) if each != NO_VALUE]
    return value


def holds(condition: Json, chosen: dict[str, str]) -> bool:
    """Whether a condition of the template, or an assertion of its rules, is true."""
    ((function, given),) = condition.items()
    if function == "Fn::Not":
        return not holds(given[0], chosen)
    assert function == "Fn::Equals"
    parameters = template()["Parameters"]
    of = [chosen.get(each["Ref"], parameters[each["Ref"]]["Default"]) if "Ref" in each else each for each in given]
    return bool(of[0] == of[1])


def spelled(value: str | Json) -> str:
    """Spell an intrinsic as the template does: `Bucket.Arn`, `Topic`, or the text of a Sub."""
    if isinstance(value, str):
        return value
    ((_, of),) = value.items()
    return ".".join(of) if isinstance(of, list) else str(of)


def as_list(value: Any) -> list[Any]:  # IAM's word: one thing, or a list of them
    """Read a policy element, which may be a single value or a list."""
    return value if isinstance(value, list) else [value]


def lint(text: Json) -> set[str]:
    """Run cfn-lint on a template; return its errors and warnings, one a line. `make check` lints the source itself."""
    from cfnlint.api import lint as cfn_lint  # type: ignore[import-untyped] # noqa: PLC0415 # it takes seconds

    found = cfn_lint(json.dumps(text), regions=["us-east-1"])
    return {f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in found}
