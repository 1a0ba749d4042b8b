"""Parameters that release 0.1.0 had and later ones do not: how each is written now."""

from collections.abc import Iterator, Mapping

from conveyor.settings.settings import FILES, FILES_OPENAI, camel_case
from conveyor.settings.tuning import PARAMETER, TUNING, name_of, read_tuning, write_tuning

FORMER_NUMBERS = {camel_case(field): field for field in TUNING}
"""Former parameters, such as `PollMinSeconds`, and the field that each set. They are numbers of `Tuning` now."""
LINE_FORM, ALLOW_TOOLS = "LineForm", "AllowTools"
FORMER = (*FORMER_NUMBERS, LINE_FORM, ALLOW_TOOLS)


def current_parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Return parameters of a stack by the names of today; the same ones if none has a former name.

    A number at its default is left out, and one that `Tuning` gives counts. Raises BadTuning.
    """
    if not given.keys() & set(FORMER):
        return dict(given)
    current = {name: value for name, value in given.items() if name not in FORMER}
    if _is_openai(given):
        current["BatchApi"] = FILES_OPENAI
    pairs = (f"{name_of(field)}={value}" for name, field, value in _numbers(given))
    numbers = read_tuning(",".join(pairs)) | read_tuning(given.get(PARAMETER, ""))
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


def _numbers(given: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    return ((name, field, given[name]) for name, field in FORMER_NUMBERS.items() if name in given)


def _is_openai(given: Mapping[str, str]) -> bool:
    return given.get("BatchApi") == FILES and given.get(LINE_FORM) == "body"
