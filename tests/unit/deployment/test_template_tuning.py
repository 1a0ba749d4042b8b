"""The parameter `Tuning`: the template refuses what the code refuses, as far as one pattern can."""

import re
from collections.abc import Iterator
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.inspect import IntType, type_info
from msgspec.structs import fields as fields_of

from conveyor.settings.settings import FIELDS, Settings, parameter_of
from conveyor.settings.tuning import PARAMETER, TUNING, BadTuning, name_of, read_tuning
from tests.support import template
from tests.support.settings import environment

WRITTEN = template.template()["Parameters"][PARAMETER]
NAMES = [name_of(field) for field in TUNING]
AROUND = {name_of(field): (known.least - 1, known.least, known.most, known.most + 1) for field, known in TUNING.items()}


def between(least: int, most: int) -> str:
    """Return a pattern of the whole numbers from one to another, as people write them."""
    found: dict[str, list[int]] = {}
    for lead, free in _runs(least, most):
        found.setdefault(lead, []).append(free)
    return "|".join(lead + _digits(min(free), max(free)) for lead, free in found.items())


def _runs(least: int, most: int) -> Iterator[tuple[str, int]]:
    """Yield how each run of numbers begins, and how many free digits follow."""
    while least <= most:
        free = 0
        while least and least % 10 ** (free + 1) == 0 and least + 10 ** (free + 1) - 1 <= most:
            free += 1
        tens, first = divmod(least // 10**free, 10)
        last = min(9, first + (most - least + 1) // 10**free - 1)
        yield f"{tens or ''}" + (f"{first}" if first == last else f"[{first}-{last}]"), free
        least = (tens * 10 + last + 1) * 10**free


def _digits(fewest: int, most: int) -> str:
    if most <= 1 and fewest == most:
        return "[0-9]" * most
    return f"[0-9]{{{fewest}}}" if fewest == most else f"[0-9]{{{fewest},{most}}}"


def pattern() -> list[str]:
    """Return the pattern of all texts that give each number at most once and within its bounds, in pieces."""
    pairs = [
        f"({'|'.join(map(name_of, fields))})=({between(*bounds)})"
        for bounds, fields in groupby(sorted(TUNING, key=_bounds), _bounds)
    ]
    repeated = r"(.*[ ,])?([a-z-]+)=.*[ ,]\2="
    return [f"^(?!{repeated}) *((", *[f"{pair}|" for pair in pairs[:-1]], pairs[-1], ")(( *, *| +)(?! *$)| *$))*$"]


def _bounds(field: str) -> tuple[int, int]:
    return TUNING[field].least, TUNING[field].most


def in_yaml(pieces: list[str]) -> str:
    """Return the pieces of a text as the template has them: in quotes, each on a line of its own."""
    return '"\\\n' + "".join(f"      {piece.replace('\\', '\\\\')}\\\n" for piece in pieces) + '      "'


def accepted(text: str) -> bool:
    """Whether CloudFormation accepts a text, as it compares a pattern: with all of it."""
    return bool(re.fullmatch(WRITTEN["AllowedPattern"], text)) and len(text) <= WRITTEN["MaxLength"]


def readable(text: str) -> bool:
    """Whether the code reads a text, whatever its numbers are together."""
    try:
        read_tuning(text)
    except BadTuning as error:
        return "longer than the longest" in str(error)
    return True


def test_the_pattern_follows_from_the_names_and_their_bounds() -> None:
    """What is in the template is written by this test: paste it after a change of a name or a bound."""
    assert WRITTEN["AllowedPattern"] == "".join(pattern()), f"AllowedPattern: {in_yaml(pattern())}"


@given(st.data())
def test_template_and_code_accept_the_same_texts(data: st.DataObject) -> None:
    """A deployment fails at once, rather than the first drop: also for bounds, repetitions and separators."""
    number = st.one_of(
        st.sampled_from(sorted({str(each) for four in AROUND.values() for each in four})),
        st.sampled_from(["", "07", "1.5", "1_0", "9" * 16, "-1", "x"]),
        st.integers(0, 10**11).map(str),
    )
    name = st.sampled_from([*NAMES, "settle_seconds", "SettleSeconds", "seconds", ""])
    pair = st.builds("{}={}".format, name, number)
    good = st.sampled_from(NAMES).flatmap(
        lambda name: st.integers(*AROUND[name][1:3]).map(lambda number: f"{name}={number}")
    )
    parts = data.draw(st.lists(st.one_of(good, good, good, pair), max_size=4))
    between = st.sampled_from([",", " ", ", ", " , ", "  ", ",", ",,", ";", "\n"])
    text = data.draw(st.sampled_from(["", "", " ", ","])) + "".join(
        part + data.draw(between) for part in parts[:-1]
    ) + "".join(parts[-1:]) + data.draw(st.sampled_from(["", "", " ", ",", "="]))  # fmt: skip
    assert accepted(text) is readable(text), text


@pytest.mark.parametrize("name", NAMES)
def test_each_bound_is_exact(name: str) -> None:
    """The least and the most are accepted, and what is one beyond them is not."""
    below, least, most, above = AROUND[name]
    assert [accepted(f"{name}={number}") for number in (below, least, most, above)] == [False, True, True, False]


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 4000))
def test_a_pattern_of_numbers_holds_for_those_between_only(least: int, more: int, number: int) -> None:
    """For any two bounds."""
    found = re.fullmatch(between(least, least + more), str(number))
    assert bool(found) is (least <= number <= least + more)


def test_all_names_fit_into_one_text() -> None:
    """Each with its longest number."""
    assert accepted(", ".join(f"{name}={four[2]}" for name, four in AROUND.items()))


def test_what_is_tuned_is_no_parameter_and_what_is_not_is_one() -> None:
    """A number could otherwise be set at two places."""
    parameters = template.template()["Parameters"].keys()
    for field in Settings.__struct_fields__:
        is_parameter = field in FIELDS and field not in TUNING
        assert (parameter_of(field) in parameters) is is_parameter
    assert {each.name for each in fields_of(Settings)} >= TUNING.keys()


@pytest.mark.parametrize("field", TUNING)
def test_the_code_takes_every_number_that_can_be_tuned_and_has_the_same_default(field: str) -> None:
    """Runs of earlier versions lack fields that were added since."""
    (setting,) = [each for each in fields_of(Settings) if each.name == field]
    kind, known = type_info(setting.type), TUNING[field]
    assert isinstance(kind, IntType)
    assert (kind.ge or 0) <= known.least
    assert known.most <= (known.most if kind.le is None else kind.le)
    assert known.least <= known.default <= known.most
    assert setting.required or setting.default == known.default


def test_the_functions_read_the_parameter() -> None:
    """As one variable."""
    env = environment("Submit", **{PARAMETER: "settle-seconds=3"})
    assert Settings.from_env(env).settle_seconds == 3
    assert WRITTEN["Default"] == ""
    assert Settings.from_env(environment("Submit")).settle_seconds == TUNING["settle_seconds"].default
