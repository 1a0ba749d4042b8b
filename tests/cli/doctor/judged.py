"""Whether a finding says what it should, with commands that can be typed."""

import json
import shlex

from botocore import xform_name
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from conveyor_cli.doctor.finding import Finding, State
from tests.support.shell.aws import INPUT, RENAMED
from tests.support.shell.words import options, value_of

REGION = "eu-central-1"
TOPIC = "arn:aws:sns:eu-central-1:1:topic"


def typeable(command: str) -> bool:
    """Tell whether AWS CLI would take a command: operation, options and their types, by the service's model."""
    program, service, operation, *words = shlex.split(command.replace('"${API_KEY:?}"', "key"))
    if (program, service) == ("aws", "logs") and operation == "tail":
        return True
    name = {"s3api": "s3"}.get(service, service)
    service_model = ServiceModel(create_loader().load_service_model(name, "service-2"))
    names = {xform_name(each, "-"): each for each in service_model.operation_names}
    model = service_model.operation_model(names[operation])
    shape = model.input_shape
    assert shape
    shapes = {xform_name(member, "-"): one for member, one in shape.members.items()}
    of_type = {kind: {one for one, of in shapes.items() if of.type_name == kind} for kind in ("list", "boolean")}
    paging = {"max-items", "region", "query", "output"}
    given, rest = options(words, of_type["list"], of_type["boolean"])
    renamed = RENAMED.get((service, operation), {})
    given = {renamed.get(option, option): text for option, text in given.items()}
    if INPUT in given:
        return not rest and not ParamValidator().validate(json.loads(given[INPUT]), shape).has_errors()
    for option in given.keys() - paging:
        value_of(shapes[option], given[option], None)  # type: ignore[arg-type] # no value is a file
    required = {xform_name(member, "-") for member in shape.required_members}
    return not rest and required <= given.keys()


def said(finding: Finding, *words: str, command: str = "") -> bool:
    """Tell whether a check failed with some words, and commands that can be typed; one begins so."""
    assert finding.state is State.FAILED
    for each in finding.commands:
        assert each.startswith(("conveyor ", "make ", "aws s3 ")) or typeable(each), each
    assert all(word in finding.message for word in words), finding.message
    return any(each.startswith(command) for each in finding.commands or [""])
