"""All checks, in the order in which a drop meets what they are about."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from conveyor_cli.aws.errors import AWS_ERRORS, NOT_ALLOWED, explain
from conveyor_cli.doctor.checks.messages import drill_unasked
from conveyor_cli.doctor.finding import Finding, State, failed
from conveyor_cli.doctor.reading import functions, messages, runs, stack, uploads
from conveyor_cli.doctor.reading.desk import Desk
from conveyor_cli.trouble import Trouble

type Look = Callable[[Desk], Finding]

ENDS_ALL = frozenset({
    "aws-client", "aws-unavailable", "credentials-expired", "credentials-refused", "no-aws-profile", "no-credentials",
    "no-network", "no-region", "wrong-clock",
})  # fmt: skip
"""Codes of troubles of the desk, not of the stack: no check says anything then."""


DELIVERY = "delivery"
"""The name of the one check that waits."""


class Wish(NamedTuple):
    """What a person wants beside the checks that do no harm."""

    delivery_seconds: float
    """The longest wait for a test upload."""
    drill: bool = False
    """Whether an alarm is tried."""


class Check(NamedTuple):
    """One check, by the name of its line."""

    name: str
    look: Look


def checks(wish: Wish) -> Iterator[Check]:
    """Return all checks but that of a drop."""
    yield Check("credentials", stack.credentials)
    yield Check("stack", stack.deployed)
    yield Check("parameters", stack.parameters)
    yield Check("bucket", stack.the_bucket)
    yield Check("lifecycle", stack.lifecycle)
    yield Check("bucket events", stack.notifications)
    yield Check("upload rule", uploads.rule)
    yield Check("functions", functions.the_functions)
    yield Check("state machines", functions.machines)
    yield Check("roles", stack.roles)
    yield Check("log groups", functions.log_groups)
    yield Check("quotas", functions.quotas)
    yield Check(DELIVERY, partial(uploads.delivery, seconds=wish.delivery_seconds))
    yield Check("limits, prices", stack.limits)
    yield Check("secret", functions.secret)
    yield Check("provider", functions.the_provider)
    yield Check("messages", messages.subscriptions)
    yield Check("alarms", messages.alarms)
    yield Check("queues", messages.queues)
    yield Check("failed runs", messages.executions)
    yield Check("runs in trouble", runs.troubles)
    yield Check("alarm drill", messages.drill if wish.drill else lambda _: drill_unasked())


def found_by(check: Check, desk: Desk) -> Finding:
    """Make a check. Raises Trouble only for what is about the desk: all else is a finding."""
    try:
        return check.look(desk)
    except AWS_ERRORS as error:
        return finding_of(explain(error))
    except Trouble as trouble:
        return finding_of(trouble)


def finding_of(trouble: Trouble) -> Finding:
    """Return what a check means that could not be made to its end."""
    if trouble.code in ENDS_ALL:
        raise trouble
    if trouble.code == NOT_ALLOWED:
        return Finding(State.UNSEEN, trouble.message.replace("Not allowed: ", "not looked at: you may not ", 1))
    return failed(trouble.message, *trouble.more, commands=trouble.commands)
