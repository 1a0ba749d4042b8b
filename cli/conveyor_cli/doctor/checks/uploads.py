"""Checks of the way from an upload to the function `submit`. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conveyor_cli.doctor.finding import Fault, Finding, aws, failed, judged, ok

type Json = dict[str, Any]

LAMBDA = "lambda:InvokeFunction"
_PERMISSION = "conveyor-doctor"


def rule(region: str, name: str, expected: Json, function: str, answers: Mapping[str, Json]) -> Finding:
    """Judge the rule for uploads. `expected`: its properties in the template. `function`: the ARN of submit.

    `answers`: of DescribeRule, ListTargetsByRule and GetPolicy, by these names; empty for what does not exist.
    """
    found, targets = answers["DescribeRule"], answers["ListTargetsByRule"].get("Targets", [])

    def faults() -> Iterator[Fault]:
        if not found:
            yield Fault(f"rule {name} does not exist: deploy again under another stack name, or restore it")
            return
        if found["State"] != "ENABLED":
            yield Fault("the rule for uploads is off", aws(region, "events enable-rule", name=name))
        if json.loads(found.get("EventPattern", "{}")) != expected["EventPattern"]:
            pattern = json.dumps(expected["EventPattern"])
            yield Fault("its pattern is changed", aws(region, "events put-rule", name=name, event_pattern=pattern))
        if [each["Arn"] for each in targets] != [function]:
            given = json.dumps(expected["Targets"])
            yield Fault("its target is not submit", aws(region, "events put-targets", rule=name, targets=given))
        if not _is_allowed(answers["GetPolicy"], found["Arn"]):
            options = {"function_name": function, "statement_id": _PERMISSION, "source_arn": found["Arn"]}
            options |= {"action": LAMBDA, "principal": "events.amazonaws.com"}
            yield Fault("it may not call submit", aws(region, "lambda add-permission", **options))

    return judged(faults(), "on, and it may call submit")


def _is_allowed(answer: Json, rule_arn: str) -> bool:
    """Return whether the policy of a function lets a rule call it."""
    policy = json.loads(answer.get("Policy", "{}"))
    return any(
        each["Effect"] == "Allow"
        and each.get("Principal", {}).get("Service") == "events.amazonaws.com"
        and rule_arn in json.dumps(each.get("Condition", {}))
        for each in policy.get("Statement", [])
    )


def delivery(region: str, log: str, waited: float, seconds: float | None) -> Finding:
    """Judge a test upload. `seconds`: after which submit has logged it; None if it has not while it was waited for."""
    if seconds is not None:
        return ok(f"a test upload arrived in {seconds:.1f} s")
    wait = f"{waited / 60:g} min" if waited >= 60 else f"{waited:g} s"  # noqa: PLR2004 - seconds of a minute
    return failed(
        f"a test upload has not arrived within {wait}",
        "After a first deployment, EventBridge may need five minutes: try again with --wait 10. Else see the errors of",
        "submit, and the checks above.",
        commands=[aws(region, f"logs tail {log}", since="1h", filter_pattern="?ERROR ?timeout")],
    )
