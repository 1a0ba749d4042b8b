"""`aws <service> wait`, which is AWS CLI's own: it asks until a state is reached, and prints nothing."""

from __future__ import annotations

from typing import Any

from botocore import xform_name
from botocore.exceptions import WaiterError

from tests.support.shell.words import Misuse, options

FAILED = 255
_WAIT = {"Delay": 1, "MaxAttempts": 55}
"""In place of minutes."""


def wait(client: Any, state: str, words: list[str]) -> str:
    """Wait for a state; return why it was not reached, or nothing. Raises Misuse."""
    name = state.replace("-", "_")
    if name not in client.waiter_names:
        raise Misuse(f"no such state: {state}")
    waiter = client.get_waiter(name)
    api = client.meta.method_to_api_mapping[xform_name(waiter.config.operation)]
    members = client.meta.service_model.operation_model(api).input_shape.members
    given, rest = options(words)
    names = {xform_name(member, "-"): member for member in members}
    if rest or given.keys() - names.keys():
        raise Misuse(f"wait {state}: {words}")
    try:
        waiter.wait(**{names[option]: value for option, value in given.items()}, WaiterConfig=_WAIT)
    except WaiterError as error:
        return str(error)
    return ""
