"""`config/budgets.json`: what it says, and what is wrong with it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.money.config_errors import BadConfig
from conveyor.settings.budgets import Budget, Budgets, read_budgets

FULL = {
    "default": {"usd_per_drop": "50.00", "usd_per_day": 200, "models": ["claude-haiku-4-5"]},
    "projects": {"team-a": {"usd_per_day": 1000.5, "models": None}, "b.2": {}},
}


def problem(data: bytes) -> str:
    """Return what is wrong with a file."""
    with pytest.raises(BadConfig) as caught:
        read_budgets(data)
    return str(caught.value)


def test_a_project_has_its_own_limits_and_else_those_of_the_default() -> None:
    """What a project leaves out is not unlimited; null is."""
    budgets = read_budgets(orjson.dumps(FULL))
    default = Budget(Decimal("50.00"), Decimal(200), ["claude-haiku-4-5"])
    assert budgets.default == budgets.of("unnamed") == budgets.of("default") == budgets.of("b.2") == default
    assert budgets.of("team-a") == Budget(Decimal("50.00"), Decimal("1000.5"), None)


@pytest.mark.parametrize("data", [b"{}", b'{"default": {}}', b'\xef\xbb\xbf{"projects": {}}\r\n'])
def test_a_file_without_limits_sets_none(data: bytes) -> None:
    """Windows editors write a byte order mark."""
    assert read_budgets(data) == Budgets()


@pytest.mark.parametrize("page", ["budgets.md", "operate.md"])
def test_the_example_of_a_page_sets_the_limits_that_it_shows(page: str) -> None:
    """Administrators copy it."""
    text = (Path(__file__).parents[3] / "docs" / page).read_text()
    (example,) = re.findall(r"```json\n(\{\n  \"default\".*?)```", text, re.DOTALL)
    budgets = read_budgets(example.encode())
    assert (budgets.default.usd_per_day, budgets.of("team-a").usd_per_day) == (Decimal(200), Decimal(1000))


def test_amounts_are_exact() -> None:
    """A binary fraction would let a limit of 0.1 be another number."""
    budgets = read_budgets(b'{"default": {"usd_per_drop": 0.1, "usd_per_day": "61.40"}}')
    assert budgets.default == Budget(Decimal("0.1"), Decimal("61.40"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{\n "default": {,}}', "line 2, column 14: not valid JSON: expecting property name"),
        (b'{"default": {"usd_per_dropp": 5}}', 'default: unknown field "usd_per_dropp"; did you mean "usd_per_drop"?'),
        (b'{"defaults": {}}', 'the file: unknown field "defaults"; did you mean "default"?'),
        (b'{"x": {}}', 'the file: unknown field "x"; expected "default" or "projects"'),
        (
            b'{"projects": {"a": {"Models": []}}}',
            'projects.a: unknown field "Models"; did you mean "models"?',
        ),
        (b'{"projects": {"a": 5}}', "projects.a is 5; expected an object"),
        (b"[]", "the file is a list; expected an object"),
        (b"", "line 1, column 1: not valid JSON"),
        (b'{"default": {}, "default": {}}', 'the field "default" is given twice'),
        (b'{"projects": {"a": {}, "a": {"models": []}}}', 'the field "a" is given twice'),
        (b'{"projects": {"default": {}}}', 'projects: "default" cannot be a project'),
        (b'{"projects": {"a/b": {}}}', 'projects: "a/b" cannot be the name of a project; expected letters, digits'),
        (b"\xff\xfe{", "byte 0 is not valid UTF-8"),
        (b'{"default": {"usd_per_day": 1e99999999999999999999}}', "is too large or too small"),
        (b'{"default": {"models": "claude-haiku-4-5"}}', 'default.models is "claude-haiku-4-5"; expected a list'),
        (b'{"default": {"models": ["a", 7]}}', "default.models: entry 2 is 7; expected the id of a model"),
        (b'{"default": {"models": ["\\ud800"]}}', 'default.models: entry 1 is "\\ud800"; expected the id of a model'),
        (b'{"default": ' * 100_000, "its values are nested too deeply"),
    ],
)
def test_a_fault_names_its_place_and_the_likely_word(data: bytes, message: str) -> None:
    """An administrator corrects it without reading a manual."""
    assert message in problem(data)


@pytest.mark.parametrize("amount", ["0", "-1", "true", '"61,40"', '"inf"', '"1e9"', "[]", "{}", '""', "1000000001"])
def test_an_amount_that_is_no_positive_number_is_a_fault(amount: str) -> None:
    """It is never taken for no limit, or for another amount."""
    text = problem(f'{{"default": {{"usd_per_day": {amount}}}}}'.encode())
    assert text.startswith("default.usd_per_day is ")
    assert "expected US dollars above 0 and up to 1,000,000,000, such as 61.40, or null for no limit" in text


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_an_amount_that_json_does_not_know_is_a_fault(amount: str) -> None:
    """Python's reader would take it, and nothing is above infinity."""
    assert problem(f'{{"default": {{"usd_per_drop": {amount}}}}}'.encode()) == f"{amount} is not a number of JSON"


AMOUNTS = st.none() | st.integers() | st.floats() | st.text() | st.booleans() | st.lists(st.integers(), max_size=2)
LIMITS = st.dictionaries(st.sampled_from(["usd_per_drop", "usd_per_day", "models"]) | st.text(max_size=9), AMOUNTS)
FILES = st.fixed_dictionaries({}, optional={"default": LIMITS, "projects": st.dictionaries(st.text(), LIMITS)})


def written(value: object) -> bytes:
    """Return any value as JSON, numbers that JSON does not know included."""
    return json.dumps(value).encode()


@given(st.binary() | FILES.map(written) | st.recursive(AMOUNTS, st.lists).map(written))
def test_a15_reading_budgets_raises_nothing_but_a_plain_fault(data: bytes) -> None:
    """A15: another exception would fail every task of every run; the fault is one line that can be sent by mail."""
    try:
        budgets = read_budgets(data)
    except BadConfig as error:
        text = str(error)
        assert text.isprintable()
        assert len(text) < 500
    else:
        assert isinstance(budgets, Budgets)


def amounts_of(budgets: Budgets) -> list[Any]:
    """Return all amounts."""
    every = [budgets.default, *budgets.projects.values()]
    return [amount for budget in every for amount in (budget.usd_per_drop, budget.usd_per_day) if amount is not None]


@given(FILES.map(written))
def test_every_limit_that_is_read_is_a_positive_amount(data: bytes) -> None:
    """A limit of zero or less, or one that is not a number, compares with nothing."""
    try:
        budgets = read_budgets(data)
    except BadConfig:
        return
    assert all(0 < amount <= 1_000_000_000 for amount in amounts_of(budgets))
