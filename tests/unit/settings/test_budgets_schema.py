"""The JSON Schema of `config/budgets.json` says what the reader of the file says.

What JSON Schema cannot say, and only the reader does: a name that is given twice, numbers that JSON does not know
(`NaN`), and bytes that are no JSON at all. So what is drawn here is JSON, and no name is repeated.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from conveyor.money.config_errors import BadConfig
from conveyor.settings.budgets import Budget, Budgets, read_budgets

PROJECT = Path(__file__).parents[3]
SAMPLE = PROJECT / "samples" / "budgets.json"
SCHEMA: dict[str, Any] = json.loads((PROJECT / "docs" / "schemas" / "budgets.schema.json").read_text())


def matches(_: object, pattern: str, instance: object, schema: object) -> Iterator[ValidationError]:  # noqa: ARG001
    """Match as ECMAScript does, whose expressions JSON Schema has: there `$` ends the text, also before a line feed."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


VALIDATOR = extend(Draft202012Validator, {"pattern": matches})(SCHEMA)

NAMES = ["team-a", "b.2", "default", "20261122T123456Z-0123456789ab", "a/b", "", "a" * 64, "a" * 65, "a\n", "ä"]
DIGITS = ["61.40", "0", "0.0", "1000000000", "1000000000.00", "1000000000.01", "999999999.999999", "1000000001", "007",
          "0" * 20, "1".zfill(20), "1".zfill(21), "1000000000".zfill(20), "0.0000001", "1.", ".5", "61,40", "1\n", "-1",
          "1e9", "inf"]  # fmt: skip
NUMBERS = st.integers(-2, 2 * 10**9) | st.floats(-1, 2e9) | st.sampled_from([10**9, 10**9 + 1, 0, 0.0, 1e-320, 1e308])
AMOUNTS = st.none() | NUMBERS | st.sampled_from(DIGITS) | st.text("0123456789.", max_size=22) | st.booleans()
MODELS = st.none() | st.lists(
    st.sampled_from(["claude-haiku-4-5", "", "two words", "ä", 7, None, "x" * 201]), max_size=2
)
OTHER: st.SearchStrategy[object] = (
    st.booleans() | st.text(max_size=3) | st.lists(st.integers(), max_size=2) | st.just({})
)
LIMITS = st.fixed_dictionaries(
    {}, optional={"usd_per_drop": AMOUNTS, "usd_per_day": AMOUNTS, "models": MODELS | OTHER, "usd": AMOUNTS}
)
PROJECTS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), LIMITS, max_size=2)
FILES = st.fixed_dictionaries(
    {}, optional={"default": LIMITS | OTHER, "projects": PROJECTS | OTHER, "$schema": OTHER, "defaults": LIMITS}
)


def problem(text: str) -> str | None:
    """Return what the reader says is wrong with a file."""
    try:
        read_budgets(text.encode())
    except BadConfig as error:
        return str(error)
    return None


def is_valid(text: str) -> bool:
    """Tell whether a file keeps the schema. Numbers are exact."""
    valid: bool = VALIDATOR.is_valid(json.loads(text, parse_float=Decimal, parse_int=Decimal))
    return valid


def with_amount(amount: object) -> dict[str, Any]:
    """Return a file with one amount."""
    return {"projects": {"team-a": {"usd_per_day": amount}}}


@given(FILES | OTHER)
@example({})
@example({"$schema": 5})
@example({"default": {"models": []}, "projects": {"a": {"usd_per_drop": "0.1"}}})
def test_a_file_keeps_the_schema_if_and_only_if_it_is_read(document: object) -> None:
    """An editor that shows no fault promises that no run will wait for one."""
    text = json.dumps(document)
    assert is_valid(text) == (problem(text) is None), problem(text)


@given(AMOUNTS | st.decimals(0, 2 * 10**9, places=3).map(str))
@example("1000000000")
def test_an_amount_keeps_the_schema_if_and_only_if_it_is_read(amount: object) -> None:
    """Also the bounds of texts, which JSON Schema compares by a pattern only."""
    text = json.dumps(with_amount(amount))
    assert is_valid(text) == (problem(text) is None), problem(text)


@pytest.mark.parametrize("amount", [*DIGITS, True, False, 0, 1, 10**9, 10**9 + 1], ids=repr)
def test_each_bound_of_an_amount_is_the_same(amount: object) -> None:
    """No draw has to find it."""
    text = json.dumps(with_amount(amount))
    assert is_valid(text) == (problem(text) is None), problem(text)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_of_a_project_is_one_for_both(name: str) -> None:
    """No draw has to find it."""
    text = json.dumps({"projects": {name: {}}})
    assert is_valid(text) == (problem(text) is None), problem(text)


def test_the_schema_is_one_and_explains_every_field() -> None:
    """An editor shows the description where the field is written."""
    Draft202012Validator.check_schema(SCHEMA)
    limits = SCHEMA["$defs"]["limits"]["properties"]
    assert limits.keys() == set(Budget.__struct_fields__)
    assert SCHEMA["properties"].keys() == {"$schema", *Budgets.__struct_fields__}
    assert all(field["description"] for field in (*limits.values(), *SCHEMA["properties"].values()))


def test_the_sample_and_the_example_in_the_docs_are_read_and_keep_the_schema() -> None:
    """An administrator begins with one of them. The sample names its schema for an editor that opens it here."""
    page = (PROJECT / "docs" / "operate.md").read_text()
    (shown,) = re.findall(r"```json\n(\{\n  \"default\".*?\n)```", page, re.DOTALL)
    sample = SAMPLE.read_text()
    for text in (sample, shown):
        assert (problem(text), is_valid(text)) == (None, True)
    assert (
        SAMPLE.parent / json.loads(sample)["$schema"]
    ).resolve() == PROJECT / "docs" / "schemas" / "budgets.schema.json"
    assert "samples/budgets.json" in page
