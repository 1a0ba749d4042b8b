"""Checks of the functions, the state machines, their logs, and the quota of the account. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from conveyor_cli.doctor.finding import Fault, Finding, aws, failed, judged, ok

type Json = dict[str, Any]

FEWEST = 20
"""Invocations at once with which some runs go on side by side: a run needs three at most."""
_QUOTA = {"service_code": "lambda", "quota_code": "L-B99A9384"}
"""Concurrent executions."""
_USUAL = 1000
_CALLED = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d+:function:([\w-]+):(\d+)")


class Function(NamedTuple):
    """A function, as Lambda says."""

    name: str
    configuration: Json
    """Empty if it does not exist."""
    versions: frozenset[str] = frozenset()
    """Those that the state machine calls, and that exist."""
    reserved: int | None = None


def called_versions(definition: str) -> dict[str, str]:
    """Return which version of each function a state machine calls, by the names of the functions."""
    return dict(_CALLED.findall(definition))


def functions(region: str, found: Mapping[str, Function], called: Mapping[str, str]) -> Finding:
    """Judge all functions. `found`: by logical name. `called`: see `called_versions`."""

    def faults() -> Iterator[Fault]:
        for logical, function in found.items():
            state, updated = (function.configuration.get(key) for key in ("State", "LastUpdateStatus"))
            show = aws(region, "lambda get-function-configuration", function_name=function.name)
            if not function.configuration:
                yield Fault(f"{logical} does not exist: deploy again under another stack name, or restore it")
                continue
            if state not in {None, "Active"}:
                yield Fault(f"{logical} is {state}", show)
            if updated == "Failed":
                yield Fault(f"the last update of {logical} failed", show)
            version = called.get(function.name)
            if version is None:
                yield Fault(f"the state machine does not call {logical}")
            elif version not in function.versions:
                yield Fault(f"version {version} of {logical} is gone, which the state machine calls: deploy again")
            if function.reserved == 0:
                free = aws(region, "lambda delete-function-concurrency", function_name=function.name)
                yield Fault(f"{logical} is switched off: its reserved concurrency is 0", free)

    return judged(faults(), f"{len(found)} of {len(found)} active, in the versions that the state machine calls")


def machines(found: Mapping[str, Json]) -> Finding:
    """Judge the state machines. `found`: answers of DescribeStateMachine by logical name, empty if it is gone."""
    faults = [
        Fault(f"{name} is {each.get('status', 'gone').lower()}: deploy again")
        for name, each in found.items()
        if each.get("status") != "ACTIVE"
    ]
    return judged(faults, f"{len(found)} of {len(found)} active")


def log_groups(region: str, expected: Mapping[str, int | None], found: Mapping[str, int | None]) -> Finding:
    """Judge the log groups, by name, with the days that each keeps its lines."""

    def faults() -> Iterator[Fault]:
        for name, days in expected.items():
            create = aws(region, "logs create-log-group", log_group_name=name)
            keep = aws(region, "logs put-retention-policy", log_group_name=name, retention_in_days=days or 0)
            if name not in found:
                yield Fault(f"{name} does not exist", create)
            if days and found.get(name) != days:
                kept = f"keeps {found[name]} days" if found.get(name) else "has no retention"
                yield Fault(f"{name} {kept}, not {days}" if name in found else f"and keeps {days} days", keep)

    return judged(faults(), f"{len(expected)} of {len(expected)}, kept as deployed")


def quotas(region: str, limits: Json) -> Finding:
    """Judge how many invocations there may be at once. `limits`: `AccountLimit` of GetAccountSettings."""
    unreserved = limits.get("UnreservedConcurrentExecutions")
    free = int(limits["ConcurrentExecutions"] if unreserved is None else unreserved)
    if free < FEWEST:
        more = "Functions are throttled, and retried: runs take longer. A new account gets more on request:"
        raise_it = aws(region, "service-quotas request-service-quota-increase", **_QUOTA, desired_value=_USUAL)
        return failed(f"room for {free:,} concurrent functions only", more, commands=[raise_it])
    return ok(f"room for {free:,} concurrent functions")
