"""deployments/<stack>.toml: how one stack is deployed. Written once, then read by each deployment."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from conveyor.settings.former import describe_former
from deployment.settings.template import Template, text_of
from deployment.trouble import misused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_TABLES = ("parameters", "tags")
_TEXTS = ("region", "account")
_TOP = """\
# How the stack "{stack}" is deployed. Each `make deploy STACK={stack}` reads this file; change it by hand.
# It holds no key, and git ignores it.
region = {region}
# Nothing is deployed with credentials of another account.
account = {account}

# Parameters of the template, by name; one that is not here has its default. All of them: docs/settings.md
[parameters]
"""


@dataclass(frozen=True)
class Kept:
    """What the file says."""

    region: str
    account: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of the stack and of all its resources."""


def read(path: Path, template: Template) -> Kept:
    """Read the file. Raises Trouble that names each fault, before AWS is asked anything."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise misused(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise misused(f"{path} cannot be read as TOML: {error}") from error
    faults = _faults_of_form(content)
    tables = {name: _texts(content.get(name, {})) for name in _TABLES} if not faults else {}
    faults += unknown(tables.get("parameters", {}), template)
    faults = faults or template.faults(tables["parameters"])
    if faults:
        raise misused(f"{path} needs a change:", *(f"- {fault}" for fault in faults))
    return Kept(str(content.get("region", "")), str(content.get("account", "")), **tables)


def write(path: Path, stack: str, kept: Kept) -> None:
    """Write the file of a stack that has none. Never changes one. Raises Trouble if it cannot be written."""
    top = _TOP.format(stack=stack, region=_quoted(kept.region), account=_quoted(kept.account))
    lines = [f"{name} = {_quoted(value)}\n" for name, value in sorted(kept.parameters.items())]
    try:
        content = (top + "".join(lines)).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except UnicodeEncodeError as error:
        raise misused("An answer is not in UTF-8. Set the terminal to UTF-8, and type the same again.") from error
    except OSError as error:
        raise misused(f"{path} cannot be written: {error.strerror}") from error


def _quoted(value: str) -> str:
    """Write a text as TOML does: as JSON, but for the one character that only TOML refuses."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def unknown(
    given: Mapping[str, str], template: Template, former: Callable[[Mapping[str, str]], list[str]] = describe_former
) -> list[str]:
    """Say in words which names are no parameters of the template, and what to write in place of former ones."""
    known = {name: value for name, value in given.items() if name in template.parameters}
    names = [name for name in given if name not in known]
    return [said for name in names for said in former({**known, name: given[name]}) or [_about(name, template)]]


def _about(name: str, template: Template) -> str:
    close = get_close_matches(name, template.parameters, n=1, cutoff=0.6)
    return f'unknown parameter "{name}"' + (f'; did you mean "{close[0]}"?' if close else "; see docs/settings.md")


def _faults_of_form(content: Mapping[str, Any]) -> list[str]:
    known = ", ".join((*_TEXTS, *_TABLES))
    faults = [f'unknown name "{name}"; expected one of: {known}' for name in content if name not in (*_TEXTS, *_TABLES)]
    faults += [f"[{name}] must be a table" for name in _TABLES if not isinstance(content.get(name, {}), dict)]
    return faults + [f"{name} must be a text" for name in _TEXTS if not isinstance(content.get(name, ""), str)]


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {name: text_of(value) for name, value in table.items()}
