"""The deployment, from the first question to the check of what is deployed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from deployment import finish
from deployment.aws import change_set as change_sets
from deployment.aws import events, package, stack
from deployment.aws.account import explained
from deployment.aws.change_set import Request
from deployment.consent import is_wanted
from deployment.kept_bucket import CannotImport, import_bucket, is_there
from deployment.plan import BUCKET, settle
from deployment.settings.template import read
from deployment.trouble import Trouble, misused
from deployment.words import changes, cost

if TYPE_CHECKING:
    from deployment.aws.change_set import ChangeSet
    from deployment.aws.events import End, Event
    from deployment.plan import Plan
    from deployment.screen import Screen
    from deployment.wish import Wish

_ENDED = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted", "IMPORT": "taken over"}


def deploy(wish: Wish, screen: Screen) -> int:
    """Deploy; returns the exit code. Raises Trouble."""
    if not wish.yes and not screen.has_terminal:
        raise misused("There is no terminal to ask in whether to deploy. If you mean it, add YES=1 (--yes).")
    plan = over_kept_bucket(wish, screen, settle(wish, screen, read(package.ROOT / "template.yaml")))
    change_set = _make(wish, screen, plan)
    if change_set is None:
        screen.line(f"{plan.name} is as it should be already: nothing to deploy.")
        return 0
    _show(screen, plan, change_set)
    _consent(wish, screen, plan, change_set)
    end = _execute(screen, plan, change_set)
    if not end.is_success:
        raise _failure(plan, end)
    finish.tell(screen, plan, change_set, end.outputs)
    is_first = plan.existing is None or plan.existing.has_bucket_only
    return finish.check(screen, plan, is_first=is_first) if wish.doctor else 0


def over_kept_bucket(wish: Wish, screen: Screen, plan: Plan) -> Plan:
    """Have a new stack take over the bucket of its parameter `BucketName`, if there is one of that name."""
    client, s3, bucket = plan.account.cloudformation, plan.account.s3, plan.parameters[BUCKET]
    with explained():
        if plan.existing or not bucket or not is_there(s3, bucket):
            return plan
        screen.line(f"There is a bucket {bucket}. {plan.name} takes it over, with all that is in it.")
        if not wish.yes and not screen.confirm("Take it over?"):
            raise Trouble("Nothing was deployed.")
        try:
            import_bucket(client, s3, plan.name, bucket)
        except CannotImport as reason:
            raise Trouble(str(reason)) from reason
        return replace(plan, existing=stack.find(client, plan.name))


def _make(wish: Wish, screen: Screen, plan: Plan) -> ChangeSet | None:
    if wish.built is None:
        screen.line("Building the functions and their layer …")
    built = wish.built or package.build(plan.parameters["Architecture"])
    screen.line("Uploading them, and comparing with what is deployed …")
    url = package.upload(plan.account.s3, built, plan.name, plan.account.region)
    wanted = Request(plan.name, url, plan.parameters, plan.tags, is_first=plan.existing is None)
    return change_sets.create(plan.account.cloudformation, wanted)


def _show(screen: Screen, plan: Plan, change_set: ChangeSet) -> None:
    """Show what is changed, what it costs, and what is lost."""
    resources = changes.after(_before(plan), change_set.changes)
    lines = cost.describe(cost.monthly(resources, has_secret=plan.has_secret))
    screen.line()
    screen.line(
        f"{'New stack' if change_set.is_first else 'Update of'} {plan.name}. {changes.summary(change_set.changes)}"
    )
    for line in changes.describe(change_set.changes):
        screen.line(f"  {line}")
    screen.line()
    screen.line(lines[0])
    for line in lines[1:]:
        screen.line(f"  {line}")
    screen.line()


def _consent(wish: Wish, screen: Screen, plan: Plan, change_set: ChangeSet) -> None:
    """Ask whether to deploy. After a no, or Ctrl-C, the change set is deleted. Raises Trouble for a no."""
    is_agreed = False
    try:
        is_agreed = is_wanted(wish, screen, plan.name, change_set.changes)
    finally:
        if not is_agreed:
            change_sets.delete(plan.account.cloudformation, change_set)
    if not is_agreed:
        raise Trouble("Nothing was deployed.")


def _before(plan: Plan) -> Counter[str]:
    """Count the resources that the stack has."""
    return stack.resources(plan.account.cloudformation, plan.existing.id) if plan.existing else Counter()


def _execute(screen: Screen, plan: Plan, change_set: ChangeSet) -> End:
    client = plan.account.cloudformation
    token = change_sets.execute(client, change_set)
    screen.line("Deploying. This takes some minutes; it goes on if you press Ctrl-C.")

    def tell(event: Event) -> None:
        if event.is_failure:
            screen.line(f"  ✗ {event.resource} ({event.type}): {event.reason}")
        elif event.status.endswith("_COMPLETE") and event.resource != plan.name:
            screen.line(
                f"  {_ENDED.get(event.status.partition('_')[0], event.status)}: {event.resource} ({event.type})"
            )

    return events.follow(client, change_set.stack_id, token, tell)


def _failure(plan: Plan, end: End) -> Trouble:
    """Say what failed, what is left, and what to type."""
    failed = end.failure
    cause = f"{failed.resource} ({failed.type}): {failed.reason}" if failed else "CloudFormation names no resource."
    if end.status == "DELETE_COMPLETE":
        left = "Nothing is left of this first deployment: what it had created is deleted again."
    elif end.status == "UPDATE_ROLLBACK_COMPLETE":
        left = "The stack is as it was before. Runs go on."
    else:
        left = f"The stack was left as {end.status}."
    again = f"make deploy STACK={plan.name}"
    return Trouble(
        f"The deployment of {plan.name} failed. The first cause:",
        cause,
        left,
        "Remove the cause, then:",
        commands=(again,),
    )
