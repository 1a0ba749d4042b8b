"""AWS cost of a million requests, computed from the use of one run of one batch at list prices of us-east-1.

Only the number of checks is assumed: a batch that takes an hour, with the default waits. Monthly cost of a stack,
storage, logs and the free tier are not included.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bench.figures import Figure
from bench.memory import Call, run
from conveyor.domain.schedule import wait_seconds
from conveyor.settings.tuning import TUNING
from tests.support import template

BYTES_PER_REQUEST = 2_500
HOUR = 3_600
_MILLION = 1_000_000

TRANSITION = 0.025 / 1_000
"""Dollars: https://aws.amazon.com/step-functions/pricing/ (Standard Workflows)."""
GIGABYTE_SECOND = 0.0000133334
INVOCATION = 0.20 / _MILLION
"""Dollars: https://aws.amazon.com/lambda/pricing/ (arm64, the template's default)."""
S3_REQUEST = {"put": 0.005 / 1_000, "list": 0.005 / 1_000, "get": 0.0004 / 1_000}
"""Dollars: https://aws.amazon.com/s3/pricing/ (S3 Standard)."""
MESSAGE = 0.50 / _MILLION
"""Dollars: https://aws.amazon.com/sns/pricing/ (API requests)."""
SENT_GIGABYTE = 0.09
"""Dollars: https://aws.amazon.com/ec2/pricing/on-demand/ (data transfer out to the internet)."""
_ONE_PROCESSOR_MB = 1_769
"""Memory with which a function has a whole processor: AWS's guide to Lambda, "Configure function memory"."""


@dataclass(frozen=True)
class Bill:
    """Resources that one run uses."""

    transitions: int
    invocations: int
    gigabyte_seconds: float
    s3: Counter[str]
    sent_bytes: int
    messages: int = 1

    def dollars(self) -> dict[str, float]:
        """Return the cost by service."""
        return {
            "step_functions": self.transitions * TRANSITION,
            "lambda": self.invocations * INVOCATION + self.gigabyte_seconds * GIGABYTE_SECOND,
            "s3": sum(count * S3_REQUEST[kind] for kind, count in self.s3.items()),
            "sns": self.messages * MESSAGE,
            "sending": self.sent_bytes / 1e9 * SENT_GIGABYTE,
        }


def figures(requests: int) -> Iterator[Figure]:
    """Measure a run of one batch of so many requests, and compute its cost."""
    size = BYTES_PER_REQUEST * requests
    bill = bill_of(run(size, requests), size)
    million = {name: dollars * _MILLION / requests for name, dollars in bill.dollars().items()}
    sending = million.pop("sending")
    name = f"cost.{requests}_per_batch"
    yield Figure(name, round(sum(million.values()), 4), "$ a million requests", f"plus ${sending:.2f} of data transfer")
    amounts = {
        "step_functions": f"{bill.transitions} transitions a run",
        "lambda": f"{bill.gigabyte_seconds:.1f} GB-seconds a run",
        "s3": ", ".join(f"{count} {kind}" for kind, count in bill.s3.items()) + " a run",
        "sns": "1 message a run",
    }
    for service, amount in amounts.items():
        yield Figure(f"{name}.{service}", round(million[service], 4), "$ a million requests", amount)


def bill_of(calls: Sequence[Call], size: int) -> Bill:
    """Return the bill of a run that takes an hour; one of its calls is a check that found the batch running."""
    (waiting,) = (call for call in calls if call.following == "wait")
    waits = checks(HOUR) - 1  # the last check finds the end
    billed = [call for call in calls if call is not waiting] + [waiting] * waits
    followings = [call.following for call in billed if call.following]
    followings.sort(key=("wait", "split", "report").index)
    memory = {name.lower(): properties["MemorySize"] for name, properties in _functions().items()}
    gigabyte_seconds = sum(
        billed_seconds(call, memory[call.function]) * memory[call.function] / 1024 for call in billed
    )
    s3 = sum((call.requests for call in billed), Counter[str]())
    return Bill(transitions(template.definition(), followings, 1), len(billed), gigabyte_seconds, s3, size)


def _functions() -> dict[str, dict[str, Any]]:
    return template.resources("AWS::Serverless::Function")


def billed_seconds(call: Call, memory_mb: int) -> float:
    """Return the duration of an invocation with this memory: as measured, or with its share of a processor."""
    return max(call.wall, call.cpu * max(1.0, _ONE_PROCESSOR_MB / memory_mb))


def checks(seconds: float) -> int:
    """Return the number of checks of a batch that takes so long, with default waits; the last finds its end."""
    shortest, longest = (TUNING[name].default for name in ("poll_min_seconds", "poll_max_seconds"))
    elapsed, count = 0, 0
    while elapsed < seconds:
        elapsed += wait_seconds(timedelta(seconds=elapsed), shortest, longest)
        count += 1
    return count


def transitions(definition: dict[str, Any], followings: Sequence[str], batches: int) -> int:
    """Return the transitions of a run whose checks give these answers, including the billed one of its start."""
    left = list(followings)
    count, name = 1, definition["StartAt"]
    while name:
        state = definition["States"][name]
        count += 1
        if state["Type"] == "Map":
            count += batches * len(state["ItemProcessor"]["States"])
        name = _chosen(state, left.pop(0)) if state["Type"] == "Choice" else state.get("Next")
    return count


def _chosen(choice: dict[str, Any], following: str) -> str:
    """Return the state that a choice leads to for this answer."""
    (name,) = (rule["Next"] for rule in choice["Choices"] if f"'{following}'" in rule["Condition"])
    return str(name)
