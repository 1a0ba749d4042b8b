"""The S3 object metadata of a drop: which names are settings of ours, and which are only nearly so."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from conveyor.domain.drop import AGAIN
from conveyor.settings.settings import PER_DROP, Settings

_PREFIX = "xamzmeta"
_SEPARATORS = re.compile(r"[^a-z0-9]")
_OF_THE_STACK = {
    field.replace("_", "")
    for field in Settings.__struct_fields__
    if field not in PER_DROP.values() and "_" in field  # one word may be anybody's: auth
}
_OTHER_NAMES = {
    "invalid": "on-invalid",
    "skipinvalid": "on-invalid",
    "ignoreinvalid": "on-invalid",
    "invalidlines": "on-invalid",
    "maxtokens": "default-max-tokens",
    "maxoutputtokens": "default-max-tokens",
    "maxcompletiontokens": "default-max-tokens",
    "defaulttokens": "default-max-tokens",
    "beta": "betas",
    "anthropicbeta": "betas",
    "anthropicbetas": "betas",
    "betaheader": "betas",
    "betafeatures": "betas",
    "runagain": AGAIN,
    "sendagain": AGAIN,
    "agian": AGAIN,
}
"""What people call the settings, without separators."""
_NAMES = {_SEPARATORS.sub("", name): name for name in (*PER_DROP, AGAIN)}
_YES = frozenset({"yes", "true", "1", "on"})
"""Values of a name that says by itself that invalid lines are skipped."""
_ALIKE = 0.8
"""Share of equal characters by which a name is taken for a misspelt one."""
_SHORT = 8
"""Characters."""


def misspelt(names: Iterable[str]) -> str | None:
    """Return what to say of metadata that is nearly a setting, or the stack's; any other belongs to another tool."""
    told = []
    for name in names:
        if _bare(name) in _OF_THE_STACK:
            told.append(f'the object\'s metadata "{name}" is a parameter of the stack, not of a drop: deploy with it')
        elif right := meant(name):
            told.append(f'unknown metadata "{name}"; did you mean "{right}"?')
    return " ".join(told) or None


def meant(name: str) -> str | None:
    """Return the setting that a name of metadata should probably be; None for a right one, and for a foreign one."""
    bare = _bare(name)
    if name in _NAMES.values():
        return None
    if right := _NAMES.get(bare) or _OTHER_NAMES.get(bare):
        return right
    near = [each for each in (*_NAMES, *_OTHER_NAMES) if _may_be(bare, each)]
    found = get_close_matches(bare, near, 1, _ALIKE)
    return (_NAMES | _OTHER_NAMES)[found[0]] if found else None


def put_right(metadata: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return what metadata sets, under the right names; a value that is not accepted is the one it probably means.

    Commands that repeat a drop carry it. What nobody can tell is left out: it would be refused again.
    """
    own: dict[str, str] = {}
    for name in sorted(metadata, key=lambda name: name not in _NAMES.values()):
        right, value = name if name in _NAMES.values() else meant(name), metadata[name]
        if right == "on-invalid" and right != name and value.strip().lower() in _YES:
            value = "skip"
        known = value if right == AGAIN else right and settings.closest_value(right, value)
        if right and known:
            own.setdefault(right, known)
    return own


def _may_be(bare: str, other: str) -> bool:
    """Tell whether a name can be a misspelt other one: short ones are near to words that others use (beats, bets)."""
    return bare[:1] == other[:1] and min(len(bare), len(other)) >= _SHORT


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name.lower()).removeprefix(_PREFIX)
