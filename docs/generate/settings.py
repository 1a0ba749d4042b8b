"""`docs/settings.md`: the template's parameters, the numbers of `Tuning`, and what a drop's own metadata can set."""

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
from conveyor.settings.former import ALLOW_TOOLS, FORMER_NUMBERS, LINE_FORM
from conveyor.settings.settings import FILES, FILES_OPENAI, PER_DROP, parameter_of
from conveyor.settings.tuning import PARAMETER, TUNING, name_of
from docs.generate.template import Json, table, template

_TOP = """\
<!-- Generated from template.yaml and conveyor/settings/tuning.py: change them, then type `make docs`. -->
# Settings

The parameters of the stack. All defaults work; set `NotificationEmail` to get messages, and look at the other settings
[to begin with](#to-begin-with). To change one, write it into `deployments/<stack>.toml` and type
`make deploy STACK=<stack>` ([more](operate.md#deploy)). A run keeps the settings that were in force when its drop was
uploaded.

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
_NUMBERS = f"""
Times and limits that only tests and experts change are numbers of this one parameter, with commas or blanks between:

```text
{PARAMETER}=poll-min-seconds=60,poll-max-seconds=600
```

A deployment replaces all of it: numbers that are left out have their defaults. Write no separators in numbers. A
deployment is refused for an unknown name, a name that is given twice, and a number beyond its bounds; only
`poll-min-seconds` above `poll-max-seconds` is not seen by CloudFormation: then `submit` fails, and says so in its log,
until you deploy again. Drops of that time are not lost: [`SubmitFailureAlarm`](runbook.md#submitfailurealarm) says how
to send them again.

"""
_FORMER = """
## Parameters of release 0.1.0

Release 0.1.0 had these. A deployment with the SAM CLI ignores names that the template does not have, **without a
word**: translate them before you update.

"""


def page() -> str:
    """Return the whole page."""
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return _TOP + _for_a_drop() + "".join(_group(group) for group in groups) + _FORMER + _former()


def _for_a_drop() -> str:
    rows = [[f"`{name}`", f"`{_parameter(field)}`", _values_of(field)] for name, field in PER_DROP.items()]
    note = f"\n`betas={NO_BETAS}` is for a drop that uses no beta features, whatever the stack's `Betas`.\n"
    others = [[f"`{name}`", "", text] for name, text in _OTHERS]
    return table(("Metadata", "In place of", "Values"), [*rows, *others]) + note


def _group(group: Json) -> str:
    rows = [[f"`{name}`", _default(name), _values(name), _text(name)] for name in group["Parameters"]]
    columns = ("Parameter", "Default", "Values", "What it does")
    title = f"\n## {group['Label']['default']}\n"
    return title + (_tuning() if group["Parameters"] == [PARAMETER] else "\n" + table(columns, rows))


def _tuning() -> str:
    rows = [
        [
            f"`{name_of(field)}`",
            f"{known.default:,}",
            f"{known.least:,} to {known.most:,}",
            known.meaning + _per_drop(field),
        ]
        for field, known in TUNING.items()
    ]
    return _NUMBERS + table(("Name", "Default", "Values", "What it does"), rows)


def _former() -> str:
    rows = [[f"`{name}=<n>`", f"`{PARAMETER}={name_of(field)}=<n>`"] for name, field in sorted(FORMER_NUMBERS.items())]
    rows += [
        [f"`BatchApi={FILES}` with `{LINE_FORM}=params`", f"`BatchApi={FILES}`"],
        [f"`BatchApi={FILES}` with `{LINE_FORM}=body`", f"`BatchApi={FILES_OPENAI}`"],
        [
            f"`{ALLOW_TOOLS}`",
            f"nothing: lines with tools are invalid with `BatchApi={FILES}`, and sent with `BatchApi={FILES_OPENAI}`",
        ],
    ]
    return table(("Then", "Now"), rows)


def _parameter(field: str) -> str:
    """Return what sets a field of `Settings`."""
    name = parameter_of(field)
    if name not in template()["Parameters"] and field not in TUNING:
        raise LookupError(f"no parameter {name} for the setting {field}")
    return name


def _text(name: str) -> str:
    text: str = template()["Parameters"][name]["Description"]
    return text + "".join(_per_drop(field) for field in PER_DROP.values() if parameter_of(field) == name)


def _per_drop(field: str) -> str:
    """Return which metadata of a drop sets a field, if any does."""
    return "".join(f" For one drop: metadata `{name}`." for name, own in PER_DROP.items() if own == field)


def _default(name: str) -> str:
    default = template()["Parameters"][name]["Default"]
    return f"{default:,}" if isinstance(default, int) else f"`{default}`" if default else "empty"


def _values_of(field: str) -> str:
    known = TUNING.get(field)
    return f"{known.least:,} to {known.most:,}" if known else _values(parameter_of(field))


def _values(name: str) -> str:
    parameter = template()["Parameters"][name]
    match parameter:
        case {"AllowedValues": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"MinValue": least, "MaxValue": most}:
            return f"{least:,} to {most:,}"
        case _:
            return str(parameter["ConstraintDescription"])
