"""The changes of a change set in words, and which of them lose something that nobody can bring back."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

LOST: Mapping[str, str] = {
    "AWS::S3::Bucket": "all drops and results, and the ledger that prevents paying twice",
    "AWS::SQS::Queue": "the messages in it: uploads and notifications that could not be delivered",
    "AWS::Logs::LogGroup": "the logs in it",
    "AWS::SNS::Topic": "its subscriptions: everybody must subscribe and confirm again",
    "AWS::StepFunctions::StateMachine": "the runs under way: nobody collects the results of their batches",
}
"""Types of resources that hold something -> what is gone with one."""
_ADD, _REMOVE, _IMPORT = "Add", "Remove", "Import"
_KEPT = frozenset({"Retain", "Snapshot", "ReplaceAndRetain", "ReplaceAndSnapshot"})
_CERTAIN, _NO = "True", "False"


@dataclass(frozen=True)
class Change:
    """What becomes of one resource."""

    action: str
    """Add, Modify, Remove, Import or Dynamic, as CloudFormation calls it."""
    resource: str
    type: str
    replacement: str = _NO
    """True, Conditional or False."""
    policy: str = ""
    """What becomes of the old resource, where it is removed or replaced."""
    what: tuple[str, ...] = ()
    """The properties that change."""

    @property
    def ends_a_resource(self) -> bool:
        """Whether a resource that is there may no longer be used after it."""
        return self.action == _REMOVE or self.replacement != _NO

    @property
    def is_loss(self) -> bool:
        """Whether something is lost that nobody can bring back, or is at least out of reach of the stack."""
        return self.ends_a_resource and self.type in LOST


def change_of(found: ResourceChangeTypeDef) -> Change:
    """Read a change as CloudFormation describes it."""
    targets = [detail.get("Target", {}) for detail in found.get("Details", [])]
    names = [target.get("Name") or target.get("Attribute") or "" for target in targets]
    return Change(
        found["Action"],
        found["LogicalResourceId"],
        found["ResourceType"],
        found.get("Replacement", _NO),
        found.get("PolicyAction", ""),
        tuple(dict.fromkeys(name for name in names if name)),
    )


def describe(changes: Sequence[Change]) -> list[str]:
    """Return the lines that show all changes: what is new by type, and each other one by itself."""
    others = [change for change in changes if change.action not in {_ADD, _IMPORT}]
    lines = [f"+ {kind}: {', '.join(names)}" for kind, names in _by_type(changes, _ADD)]
    lines += [f"= {kind}: {', '.join(names)}  exists, and is taken over" for kind, names in _by_type(changes, _IMPORT)]
    return lines + [_line(change) for change in sorted(others, key=lambda each: (each.type, each.resource))]


def losses(changes: Iterable[Change]) -> list[str]:
    """Return a line for each change that loses something."""
    return [_loss(change) for change in changes if change.is_loss]


def after(before: Counter[str], changes: Iterable[Change]) -> Counter[str]:
    """Count the resources that the stack has after all changes, by type. `before`: those that it has."""
    counted = Counter(before)
    for change in changes:
        counted[change.type] += (change.action in {_ADD, _IMPORT}) - (change.action == _REMOVE)
    return counted


def summary(changes: Sequence[Change]) -> str:
    """Count the changes in one sentence."""
    replaced = sum(change.action != _REMOVE and change.replacement != _NO for change in changes)
    counts = {
        "added": sum(change.action == _ADD for change in changes),
        "taken over": sum(change.action == _IMPORT for change in changes),
        "changed": sum(change.action not in {_ADD, _IMPORT, _REMOVE} for change in changes) - replaced,
        "replaced": replaced,
        "removed": sum(change.action == _REMOVE for change in changes),
    }
    return "Resources: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count) + "."


def _by_type(changes: Iterable[Change], action: str) -> list[tuple[str, list[str]]]:
    found = defaultdict[str, list[str]](list)
    for change in changes:
        if change.action == action:
            found[change.type].append(change.resource)
    return sorted((kind, sorted(names)) for kind, names in found.items())


def _line(change: Change) -> str:
    kept = ", the old one is kept" if change.policy in _KEPT else ""
    of = f"{change.type}: {change.resource}"
    if change.action == _REMOVE:
        return f"- {of}  is removed" + (", and is kept outside the stack" if kept else "")
    changed = f"  ({', '.join(change.what)})" if change.what else ""
    if change.replacement == _NO:
        return f"~ {of}{changed}"
    is_certain = change.replacement == _CERTAIN
    return f"± {of}  {'is' if is_certain else 'may be'} replaced by a new one{kept}{changed}"


def _loss(change: Change) -> str:
    is_kept = change.policy in _KEPT
    verb = "is" if change.action == _REMOVE or change.replacement == _CERTAIN else "may be"
    done = "removed" if change.action == _REMOVE else "replaced by an empty one"
    what = "It is kept, but the stack does not use it any more" if is_kept else "You lose"
    return f"{change.resource} {verb} {done}. {what}: {LOST[change.type]}."
