"""What is wrong with an answer, in words; None if nothing is. Nothing of AWS is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

MOST_CHARACTERS = 76
"""Of a stack's name: names of its state machines add `-run`, and have 80 at most."""
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")
_LEAST_KEY = 8
_PASTED = re.compile(r"(sk|csk|gsk|hf|nvapi|xai)[-_](?=.*[A-Za-z0-9]{16}|.{60}).*", re.DOTALL)
"""How providers' keys begin, and a long random word or a great length, so that no name is taken for one."""
IS_KEY = "this is a key; it is asked for later, at a prompt that shows nothing"
"""Said without a quotation."""


def stack_fault(name: str) -> str | None:
    """Check the name of a stack."""
    if is_key(name):
        return f"a stack cannot have this name: {IS_KEY}"
    if not _STACK.fullmatch(name):
        return f'a stack cannot have the name "{name}"; use letters, digits and hyphens, beginning with a letter'
    if len(name) > MOST_CHARACTERS:
        return f"the name of a stack may have {MOST_CHARACTERS} characters at most; this one has {len(name)}"
    return None


def region_fault(known: Collection[str]) -> Callable[[str], str | None]:
    """Return the check of a Region. `known`: those that this version of the AWS SDK lists; there may be newer ones."""

    def fault(region: str) -> str | None:
        if region in known:
            return None
        if not _REGION.fullmatch(region):
            return f'"{region}" is no Region; write one such as us-east-1 or eu-central-1'
        near = sorted(each for each in known if each.rpartition("-")[0] == region.rpartition("-")[0])
        return f'"{region}" is no Region that is known here; did you mean {" or ".join(near)}?' if near else None

    return fault


def is_key(text: str) -> bool:
    """Whether a key was pasted where something else is asked. Names are logged by AWS, and shown in its console."""
    return bool(_PASTED.fullmatch(text.strip()))


def key_fault(key: str) -> str | None:
    """Check the form of a provider's key. Never quotes it."""
    if not key:
        return "nothing was typed; paste the key and press Enter, or press Ctrl-C to stop"
    if key.startswith(("{", '"', "'")):
        return "this is JSON or has quotes; the secret holds the key alone, as plain text"
    if len(key) < _LEAST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        return "this is no key: a key is one word of printable ASCII characters"
    return None
