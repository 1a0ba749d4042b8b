"""What is to be deployed: settled from the command line, the file of the stack, the stack itself, and the questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from conveyor.settings.former import current_parameters, describe_changed
from conveyor.settings.settings import Settings, camel_case
from conveyor.settings.tuning import PARAMETER as TUNING
from conveyor.settings.tuning import BadTuning, read_tuning
from deployment.answers import key
from deployment.answers.questions import AUTH, SECRET, SIGNED, Questions
from deployment.aws import stack as stacks
from deployment.aws.account import Account
from deployment.aws.package import ROOT
from deployment.settings import file
from deployment.settings.file import Kept
from deployment.trouble import Trouble, misused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployment.aws.stack import Stack
    from deployment.screen import Screen
    from deployment.settings.template import Template
    from deployment.wish import Wish


BUCKET = "BucketName"


@dataclass(frozen=True)
class Plan:
    """A deployment for which nothing is left to ask but whether to do it."""

    name: str
    account: Account
    parameters: Mapping[str, str]
    """The value of every parameter of the template."""
    tags: Mapping[str, str]
    existing: Stack | None

    @property
    def has_secret(self) -> bool:
        """Whether the provider's key is in a secret."""
        return self.parameters[AUTH] != SIGNED


def settle(wish: Wish, screen: Screen, template: Template) -> Plan:
    """Settle everything. Writes the file of a stack that has none. Raises Trouble for whatever is missing or wrong."""
    _refuse(file.unknown(wish.given(), template) or _faults(wish.given(), template))
    questions = Questions(screen, template)
    name = questions.stack(wish.stack)
    path = wish.settings or ROOT / "deployments" / f"{name}.toml"
    kept = file.read(path, template) if path.exists() else None
    region = questions.region(wish.region or (kept.region if kept else None) or None)
    account = Account(region)
    number, caller = account.caller()
    screen.line(f"Account {number} in {region}, as {caller.rpartition('/')[2] or caller}")
    _refuse(_of_place(kept, region, number, path))
    existing = stacks.find(account.cloudformation, name)
    if kept:
        screen.line(f"Settings: {_shown(path)}")
        parameters = {**kept.parameters, **wish.given()}
        _refuse(bucket_faults(account, existing, parameters, path))
        _say_once(screen, path, kept, wish)
    else:
        parameters = first_parameters(questions, account, existing, wish.given())
    _refuse(_faults(parameters, template))
    complete = template.complete(parameters)
    for line in changed_settings(existing, template, complete):
        screen.line(line)
    plan = Plan(name, account, complete, kept.tags if kept else {}, existing)
    if plan.has_secret:
        key.provide(screen, account, complete[SECRET])
    if kept is None:
        changed = {each: value for each, value in parameters.items() if value != template.parameters[each].default}
        file.write(path, name, Kept(region, number, changed))
        screen.line(f"Settings: written to {_shown(path)}. The next deployment reads them there.")
    return plan


def _faults(given: Mapping[str, str], template: Template) -> list[str]:
    """Say what is wrong with values: the core words better than a pattern what is wrong with `Tuning`."""
    try:
        read_tuning(given.get(TUNING, ""))
    except BadTuning as bad:
        return [str(bad)]
    return template.faults(given) or _unreadable(template.complete(given))


def _unreadable(complete: Mapping[str, str]) -> list[str]:
    """Say which number CloudFormation would take, and no function could read: each drop would fail."""
    try:
        Settings.from_parameters(complete)
    except msgspec.ValidationError as error:
        name = camel_case(str(error).rpartition("$.")[2].rstrip("`"))
        return [f'{name} cannot be "{complete[name]}"; expected a whole number, without blanks']
    return []


def first_parameters(
    questions: Questions, account: Account, existing: Stack | None, given: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters of a stack that has no file here: its own if it exists, else the answers."""
    if existing is None:
        return questions.parameters(given)
    if existing.has_bucket_only:
        return questions.parameters({**given, BUCKET: stacks.bucket(account.cloudformation, existing.id)})
    questions.screen.line("This stack was deployed from elsewhere. Its settings are kept.")
    for said in describe_changed(existing.parameters):
        questions.screen.line(f"  {said}")
    return {**own_parameters(existing, questions.template), **given}


def own_parameters(existing: Stack, template: Template) -> dict[str, str]:
    """Return the parameters that a stack has, by the names of today. Raises Trouble for what cannot be read."""
    try:
        current = current_parameters(existing.parameters)
    except BadTuning as bad:
        raise misused(f"The parameters of the stack cannot be kept: {bad}") from bad
    return {each: value for each, value in current.items() if each in template.parameters}


def bucket_faults(account: Account, existing: Stack | None, parameters: Mapping[str, str], path: Path) -> list[str]:
    """Say what is wrong if a file is of the stack that had the bucket before: the next one would begin with another."""
    if existing is None or not existing.has_bucket_only:
        return []
    bucket = stacks.bucket(account.cloudformation, existing.id)
    if parameters.get(BUCKET) == bucket:
        return []
    return [
        f"The stack has taken over the bucket {bucket}, and {_shown(path)} names another one, or none.",
        f'Write this line into [parameters], and leave it there: {BUCKET} = "{bucket}"',
    ]


def changed_settings(existing: Stack | None, template: Template, wanted: Mapping[str, str]) -> list[str]:
    """Say which settings the stack has now and will not have: a file may be older than what somebody else has set."""
    if existing is None or existing.has_bucket_only:
        return []
    try:
        own = own_parameters(existing, template)
    except Trouble:  # what cannot be read is not kept, since there is a file
        own = {each: value for each, value in existing.parameters.items() if each in template.parameters}
    now = template.complete(own)
    lines = [
        f"  {each}: {now[each] or 'empty'} → {wanted[each] or 'empty'}" for each in wanted if now[each] != wanted[each]
    ]
    return ["Settings that change:", *lines] if lines else []


def _of_place(kept: Kept | None, region: str, account: str, path: Path) -> list[str]:
    """Say what is wrong if the file belongs to another place."""
    if kept is None:
        return []
    of = (("account", kept.account, account), ("Region", kept.region, region))
    return [
        f"{_shown(path)} is of the {what} {file_has}, and this is {here}"
        for what, file_has, here in of
        if file_has not in ("", here)
    ]


def _say_once(screen: Screen, path: Path, kept: Kept, wish: Wish) -> None:
    """Say which values the file does not have: the next deployment would undo them."""
    once = [each for each, value in wish.given().items() if kept.parameters.get(each) != value]
    if once:
        screen.line(f"Only this time: {', '.join(once)}. To keep a value, write it into {_shown(path)}.")


def _shown(path: Path) -> str:
    """Return a path as a person types it in the checkout."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _refuse(faults: list[str]) -> None:
    if faults:
        raise misused(faults[0], *faults[1:])
