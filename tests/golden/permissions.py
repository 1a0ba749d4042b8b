"""What the roles of the functions and machines may do, and what of that the last release could do and is not there now.

A role is changed in place, and the versions of functions that older runs still call keep it. So a permission stays for
one release after the last one that needs it.
"""

import msgspec

from tests.golden.kept import FOLDER, in_order
from tests.support import template
from tests.support.template import Json, as_list, spelled

FILE = "roles.json"
UNUSED = FOLDER / "unused-permissions.json"
"""Permissions by the first release that does not need them: they may go in the one after it."""

type Permissions = dict[str, list[str]]
"""By role, one `action resource` for each, and the condition if there is one."""


def of_template() -> Permissions:
    """Return what each role may do now, whatever the parameters are."""
    found: Permissions = {}
    for role in template.resources("AWS::IAM::Role"):
        every = [each for auth in ("api-key", "aws") for each in template.statements(role, Auth=auth)]
        found[role] = sorted({one for each in every for one in _permissions(each)})
    return found


def written() -> bytes:
    """Return the content of the file of this release."""
    return msgspec.json.format(msgspec.json.encode(of_template(), order="sorted"), indent=1) + b"\n"


def of_last_release() -> tuple[str, Permissions]:
    """Return the last release of which they are kept, and what its roles may do."""
    release = in_order(path.parent.name for path in FOLDER.glob(f"*/{FILE}"))[-1]
    return release, msgspec.json.decode((FOLDER / release / FILE).read_bytes(), type=Permissions)


def gone_too_early(last: str, before: Permissions, now: Permissions, unused: dict[str, str]) -> list[str]:
    """Return what the last release could do, is not there now, and may still be needed by its functions.

    `unused`: see `UNUSED`; a permission is named `role: action resource`.
    """
    gone = [f"{role}: {each}" for role, every in before.items() for each in every if each not in now.get(role, [])]
    return [each for each in gone if each not in unused or in_order([unused[each], last])[-1] != last]


def _permissions(statement: Json) -> list[str]:
    condition = msgspec.json.encode(statement["Condition"], order="sorted").decode() if "Condition" in statement else ""
    return [
        f"{action} {spelled(resource)} {condition}".rstrip()
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
