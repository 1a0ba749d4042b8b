"""The S3 object metadata of a drop: which names are settings, and which are misspelled settings."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from conveyor.domain.drop import (
    AGAIN,
    DRY_RUN,
    DRY_RUN_YES,
    HOLD,
    HOLD_ALWAYS,
    MAX_USD,
    NOTIFY,
    NOTIFY_START,
    PROBE,
    PROBE_NO,
    PROBE_YES,
    PROJECT,
    RETRY_OF,
    RUN_ID_FORM,
)
from conveyor.domain.keys import is_project_name
from conveyor.settings.amounts import likely_limit, read_limit
from conveyor.settings.settings import FIELDS, PER_DROP, Settings, parameter_of

_PREFIX = "xamzmeta"
_SEPARATORS = re.compile(r"[^a-z0-9]")
_OF_THE_STACK = {
    field.replace("_", ""): field
    for field in FIELDS
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
    "projekt": PROJECT,
    "porject": PROJECT,
    "prject": PROJECT,
    "poject": PROJECT,
    "projct": PROJECT,
    "projec": PROJECT,
    "holdalways": HOLD,
    "onhold": HOLD,
    "prob": PROBE,
    "proble": PROBE,
    "porbe": PROBE,
    "prboe": PROBE,
    "probefirst": PROBE,
    "notifystart": NOTIFY,
    "notifyonstart": NOTIFY,
    "onstart": NOTIFY,
    "notfy": NOTIFY,
    "notifiy": NOTIFY,
    "retryfrom": RETRY_OF,
    "usdmax": MAX_USD,
    "maxcost": MAX_USD,
    "maxcostusd": MAX_USD,
    "maxdollars": MAX_USD,
    "maxspend": MAX_USD,
    "maxbudget": MAX_USD,
    "maxbudgetusd": MAX_USD,
    "usdperdrop": MAX_USD,
}
"""Other names of the settings in use elsewhere, without separators."""
_OTHERS = (AGAIN, RETRY_OF, PROJECT, HOLD, DRY_RUN, PROBE, MAX_USD, NOTIFY)
_NAMES = {_SEPARATORS.sub("", name): name for name in (*PER_DROP, *_OTHERS)}
ALLOWED_VALUES = {
    HOLD: (HOLD_ALWAYS,),
    DRY_RUN: (DRY_RUN_YES,),
    PROBE: (PROBE_YES, PROBE_NO),
    NOTIFY: (NOTIFY_START,),
}
"""Values of metadata that is no setting: first the one that asks for something, then its contrary, if there is one."""
UNSURE_AMOUNT = "<US dollars>"
"""Stands in a command for an amount that a person must name. Typed unchanged, it refuses the drop."""
_YES = frozenset({"yes", "true", "1", "on"})
"""Values that mean `skip` under a name such as `skip-invalid`."""
_NO = frozenset({"no", "false", "0", "off", "never", "none", ""})
"""Values that mean the contrary of what the metadata asks for."""
_ALIKE = 0.8
"""Ratio of similarity from which a name counts as misspelled."""
_SHORT = 8
"""Characters."""


def describe_misspelled(names: Iterable[str]) -> str | None:
    """Describe names that are misspelled settings, or settings of the stack only; None if there are none.

    Any other name belongs to another tool.
    """
    texts = []
    for name in names:
        if field := _OF_THE_STACK.get(_bare(name)):
            texts.append(
                f'the object\'s metadata "{name}" is a parameter of the stack, not of a drop: deploy with '
                f"{parameter_of(field)}=<value>"
            )
        elif right := intended_name(name):
            texts.append(f'unknown metadata "{name}"; did you mean "{right}"?')
    return " ".join(texts) or None


def intended_name(name: str) -> str | None:
    """Return the setting that a name was probably meant to be; None if it is a setting, or resembles none."""
    bare = _bare(name)
    if name in _NAMES.values():
        return None
    if right := _NAMES.get(bare) or _OTHER_NAMES.get(bare):
        return right
    candidates = [known for known in (*_NAMES, *_OTHER_NAMES) if _may_be(bare, known)]
    closest = get_close_matches(bare, candidates, 1, _ALIKE)
    return (_NAMES | _OTHER_NAMES)[closest[0]] if closest else None


def corrected_metadata(metadata: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the settings in a drop's metadata, with misspelled names and values corrected.

    Commands that repeat a drop have them. A value that resembles no accepted one is left out: it would be refused. Only
    an amount is not: without it the drop would have no limit of its own.
    """
    corrected: dict[str, str] = {}
    for name in sorted(metadata, key=lambda name: name not in _NAMES.values()):
        right, value = name if name in _NAMES.values() else intended_name(name), metadata[name]
        if right == "on-invalid" and right != name and value.strip().lower() in _YES:
            value = "skip"
        accepted = right and _accepted(right, value, settings)
        if right and accepted:
            corrected.setdefault(right, accepted)
    return corrected


def _accepted(name: str, value: str, settings: Settings) -> str | None:
    """Return a value if it is accepted, or else the accepted one that was probably meant, if any."""
    if name in ALLOWED_VALUES:
        asks, *contrary = ALLOWED_VALUES[name]
        return next(iter(contrary), None) if value.strip().lower() in _NO else asks
    if name == PROJECT:
        return value.strip() if is_project_name(value.strip()) else None
    if name == RETRY_OF:
        return value if RUN_ID_FORM.fullmatch(value) else None
    if name == MAX_USD:
        return value if read_limit(value) else likely_limit(value) or UNSURE_AMOUNT
    return value if name == AGAIN else settings.closest_value(name, value)


def _may_be(bare: str, other: str) -> bool:
    """Tell whether a name may be another one misspelled. Short ones resemble other tools' words (beats, bets)."""
    return bare[:1] == other[:1] and min(len(bare), len(other)) >= _SHORT


def _bare(name: str) -> str:
    return _SEPARATORS.sub("", name.lower()).removeprefix(_PREFIX)
