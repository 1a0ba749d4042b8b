"""`docs/settings.md`: the template's parameters, and which of them a drop's own metadata can set."""

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
)
from conveyor.domain.keys import DEFAULT_PROJECT, PROJECT_RULE
from conveyor.settings.betas import NO_BETAS
from conveyor.settings.settings import PER_DROP, parameter_of
from docs.generate.template import Json, table, template

_TOP = """\
<!-- Generated from template.yaml: change the Description there, then type `make docs`. -->
# Settings

The parameters of the stack. `make deploy` asks for them; all defaults work; set `NotificationEmail` to get messages.
To change one, deploy again. A run
keeps the settings that were in force when its drop was uploaded.

## For one drop

Set these as S3 metadata of the object:

```sh
aws s3 cp requests.jsonl s3://<BucketName>/inbox/requests.jsonl --metadata on-invalid=skip
```

A misspelled name or a wrong value causes the drop to be refused, and the message names the right one. Other metadata is
ignored.

"""
_AGAIN = (
    "`yes`, or the id of a run, reprocesses content already submitted under this key. Each value counts once: the "
    "message of a refusal has the next one."
)
_PROJECT = (
    f"The [project](operate.md#projects) that the drop is for, if its folder is none: {PROJECT_RULE}. Without it, "
    f"`{DEFAULT_PROJECT}`."
)

_OTHERS = (
    (AGAIN, _AGAIN),
    (PROJECT, _PROJECT),
    (
        PROBE,
        (
            f"`{PROBE_YES}` has a [sample](how-it-works.md#the-probe) answered first, and `{PROBE_NO}` does not, "
            "whatever `ProbeAbove` says."
        ),
    ),
    (
        MAX_USD,
        (
            "US dollars, such as `20` or `61.40`: the run [waits for an approval](gates.md) before it may cost more. "
            "Lower limits hold, too."
        ),
    ),
    (HOLD, f"`{HOLD_ALWAYS}`: the run [waits for an approval](gates.md) before anything is paid."),
    (DRY_RUN, f"`{DRY_RUN_YES}`: the drop is [checked and estimated](gates.md#estimate-only), and nothing is sent."),
    (NOTIFY, f"`{NOTIFY_START}`: a [message](messages.md) says when the run starts, too."),
    (RETRY_OF, "The id of a run whose `retry.jsonl` this is: the receipt says it, and nothing else follows."),
)
"""Metadata that is no setting of the stack."""


def page() -> str:
    """Return the whole page."""
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return _TOP + _for_a_drop() + "".join(_group(group) for group in groups)


def _for_a_drop() -> str:
    rows = [[f"`{name}`", f"`{_parameter(field)}`", _values(_parameter(field))] for name, field in PER_DROP.items()]
    note = f"\n`betas={NO_BETAS}` is for a drop that uses no beta features, whatever the stack's `Betas`.\n"
    others = [[f"`{name}`", "", text] for name, text in _OTHERS]
    return table(("Metadata", "In place of", "Values"), [*rows, *others]) + note


def _group(group: Json) -> str:
    rows = [[f"`{name}`", _default(name), _values(name), _text(name)] for name in group["Parameters"]]
    columns = ("Parameter", "Default", "Values", "What it does")
    return f"\n## {group['Label']['default']}\n\n" + table(columns, rows)


def _parameter(field: str) -> str:
    """Return the parameter that sets a field of `Settings`."""
    name = parameter_of(field)
    if name not in template()["Parameters"]:
        raise LookupError(f"no parameter {name} for the setting {field}")
    return name


def _text(name: str) -> str:
    own = [metadata for metadata, field in PER_DROP.items() if _parameter(field) == name]
    text: str = template()["Parameters"][name]["Description"]
    return text + "".join(f" For one drop: metadata `{metadata}`." for metadata in own)


def _default(name: str) -> str:
    default = template()["Parameters"][name]["Default"]
    return f"{default:,}" if isinstance(default, int) else f"`{default}`" if default else "empty"


def _values(name: str) -> str:
    parameter = template()["Parameters"][name]
    match parameter:
        case {"AllowedValues": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"MinValue": least, "MaxValue": most}:
            return f"{least:,} to {most:,}"
        case _:
            return str(parameter["ConstraintDescription"])
