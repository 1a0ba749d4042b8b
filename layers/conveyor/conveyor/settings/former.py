"""Parameters that release 0.1.0 had and later ones do not: how each is written now."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from conveyor.settings.settings import FILES, FILES_OPENAI, camel_case
from conveyor.settings.tuning import PARAMETER, TUNING, defaults, name_of, read_numbers, read_tuning, write_tuning

FORMER_NUMBERS = {camel_case(field): field for field in TUNING}
"""Former parameters, such as `PollMinSeconds`, and the field that each set. They are numbers of `Tuning` now."""
LINE_FORM, ALLOW_TOOLS = "LineForm", "AllowTools"
FORMER = (*FORMER_NUMBERS, LINE_FORM, ALLOW_TOOLS)


def current_parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Return parameters of a stack by the names of today; the same ones if none has a former name.

    A number at its default is left out, and one that `Tuning` gives counts. Release 0.1.0 did not compare the two waits
    between checks: where they crossed, each was the shortest. Raises BadTuning.
    """
    if not given.keys() & set(FORMER):
        return dict(given)
    current = {name: value for name, value in given.items() if name not in FORMER}
    if _is_openai(given):
        current["BatchApi"] = FILES_OPENAI
    pairs = (f"{name_of(field)}={value}" for name, field, value in _numbers(given))
    numbers = defaults() | read_numbers(",".join(pairs)) | read_tuning(given.get(PARAMETER, ""))
    numbers["poll_max_seconds"] = max(numbers["poll_min_seconds"], numbers["poll_max_seconds"])
    changed = {field: number for field, number in numbers.items() if number != TUNING[field].default}
    return current | ({PARAMETER: write_tuning(changed)} if changed else {})


def describe_former(given: Mapping[str, str]) -> list[str]:
    """Return one sentence for each parameter with a former name: what to write in its place."""
    said = [
        f"{name}={value} is now {PARAMETER}={name_of(field)}={value}."
        if value != str(TUNING[field].default)
        else f"{name}={value} is the default; leave it out."
        for name, field, value in _numbers(given)
    ]
    if LINE_FORM in given:
        now = f"BatchApi={FILES_OPENAI}" if _is_openai(given) else "left out"
        said.append(f"{LINE_FORM}={given[LINE_FORM]} is now {now}.")
    if ALLOW_TOOLS in given:
        said.append(
            f"{ALLOW_TOOLS} was removed: lines with tools are invalid with BatchApi={FILES}, and valid with "
            f"BatchApi={FILES_OPENAI}."
        )
    return said


def describe_changed(given: Mapping[str, str]) -> list[str]:
    """Return the sentences of `describe_former` for a stack of release 0.1.0: none for a parameter at its default."""
    defaults_then = {LINE_FORM: "params", ALLOW_TOOLS: "no"} | {
        name: str(TUNING[field].default) for name, field in FORMER_NUMBERS.items()
    }
    plain = dict(given) | {name: value for name, _, value in _numbers(given)}
    return describe_former({name: value for name, value in plain.items() if value != defaults_then.get(name)})


def _numbers(given: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    return ((name, field, _plain(given[name])) for name, field in FORMER_NUMBERS.items() if name in given)


def _plain(number: str) -> str:
    """Write a number in digits: CloudFormation and release 0.1.0 took `2e10` and `300.0`, too."""
    try:
        return f"{Decimal(number):.0f}" if Decimal(number) % 1 == 0 else number
    except InvalidOperation:
        return number


def _is_openai(given: Mapping[str, str]) -> bool:
    return given.get("BatchApi") == FILES and given.get(LINE_FORM) == "body"
