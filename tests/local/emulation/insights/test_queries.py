"""Queries in the Logs Insights QL are run as on AWS, or refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulation.insights.events import row
from local.emulation.insights.expressions import timestamp
from local.emulation.insights.queries import parse
from local.emulation.insights.values import Malformed, number, sort_key, text

type Json = dict[str, Any]

NOON = 1_796_040_000_000


def run(query: str, *messages: str | Json) -> list[dict[str, str]]:
    """Run a query on messages, one a second; returns the fields of each row, but the pointer."""
    events = [
        row(
            {"@timestamp": timestamp(NOON + 1000 * second), "@ptr": str(second), "@log": "1:g",
             "@message": message if isinstance(message, str) else json.dumps(message)},
            NOON + 1000 * second,
        )
        for second, message in enumerate(messages)
    ]  # fmt: skip
    found = [{part["field"]: part["value"] for part in row} for row in parse(query).run(events)]
    return [{name: value for name, value in row.items() if name != "@ptr"} for row in found]


POLLS = [
    {"message": "poll is done", "run": "a", "next": "wait", "age": 5, "project": "p", "usd": 0.25},
    {"message": "poll is done", "run": "b", "next": "split", "age": 10, "waits": {"for": ["room", "x"]}},
    {"message": "poll is done", "run": "a", "next": "done", "age": 7.5, "project": "p", "usd": 1},
]


def test_without_fields_come_time_and_message_of_the_newest_first() -> None:
    """And a pointer, as with every query without `stats`."""
    found = run("filter run = 'a'", *POLLS)
    assert [row["@message"] for row in found] == [json.dumps(POLLS[2]), json.dumps(POLLS[0])]
    assert found[0]["@timestamp"] == "2026-11-30 12:00:02.000"
    event = row({"@message": "x", "@ptr": "7"}, NOON)
    assert parse("fields @message").run([event]) == [
        [{"field": "@message", "value": "x"}, {"field": "@ptr", "value": "7"}]
    ]  # fmt: skip


def test_fields_of_json_have_dotted_names_and_text_values() -> None:
    """What a line lacks is left out; null is no value, and a truth value is 1 or 0."""
    line = {"a": {"b": [1, {"c": True}]}, "d": None, "e": 2.50, "@f": "g"}
    assert run("fields a.b.0, a.b.1.c, d, e, `@@f`", line) == [
        {"a.b.0": "1", "a.b.1.c": "1", "e": "2.5", "@@f": "g"}
    ]  # fmt: skip
    assert run("fields a", "REPORT no JSON", 'INFO\t{"a": 1} and more') == [{"a": "1"}, {}]


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("age > 7", "ab"),
        ("age >= 7.5 and next != 'split'", "a"),
        ('not (age = 10) and run = "a"', "aa"),
        ("waits.for.0 = 'room' or usd = 1", "ab"),
        ("ispresent(usd)", "aa"),
        ("not ispresent(usd)", "b"),
        ("ispresent(usd) and usd != 1", "a"),
        ("next like 'spl'", "b"),
        ("next like /^(?i)SPL/", "b"),
        ("next not like /s/", "aa"),
        ("run in ['b', 'c']", "b"),
        ("run not in ['b', 'c']", "aa"),
        ("usd in [1, 2]", "a"),
        ("age * 2 - 1 = 19", "b"),
        ("coalesce(usd, 10) = age", "b"),
        ("isblank(project)", "b"),
        ("strcontains(next, 'one')", "a"),
    ],
)
def test_filters(condition: str, runs: str) -> None:
    """Numbers are compared as numbers, others as text; a field that a line lacks equals nothing."""
    assert "".join(row["run"] for row in run(f"filter {condition} | fields run", *POLLS)) == runs


def test_statistics_of_groups() -> None:
    """Groups come first; what no line of a group has is left out; calculated numbers have four decimals."""
    query = (
        "filter message = 'poll is done' # a comment\n"
        "| stats count(*) as polls, sum(usd) as usd, max(age), latest(next) as state, avg(age) "
        "by run | sort run asc"
    )
    assert run(query, *POLLS) == [
        {"run": "a", "polls": "2", "usd": "1.25", "max(age)": "7.5", "state": "done", "avg(age)": "6.25"},
        {"run": "b", "polls": "1", "max(age)": "10", "state": "split", "avg(age)": "10"},
    ]  # fmt: skip
    assert run("stats earliest(next) as first by run | sort run asc", *POLLS)[0] == {"run": "a", "first": "wait"}
    assert run("stats sum(x) as total by bin(1h)", {"x": 0.00004}, {"x": 0.33333}) == [
        {"bin(1h)": "2026-11-30 12:00:00.000", "total": "0.3334"}
    ]  # fmt: skip


def test_results_of_statistics_can_be_filtered_sorted_and_chosen() -> None:
    """A column that they do not have is refused."""
    query = "stats max(age) as most, latest(next) as state by run | filter state != 'split' | display state | limit 1"
    assert run(query, *POLLS) == [{"state": "done"}]
    with pytest.raises(Malformed, match="no result of stats"):
        parse("stats count(*) as n by run | sort age desc")


def test_one_row_for_each_value() -> None:
    """The first in order; a row without the field is no duplicate."""
    assert run("fields run, age | sort age asc | dedup run", *POLLS) == [
        {"run": "a", "age": "5"}, {"run": "b", "age": "10"}
    ]  # fmt: skip
    assert len(run("dedup usd", *POLLS)) == 3


def test_the_order_is_natural() -> None:
    """Text before numbers, numbers in text by their value."""
    lines = [{"x": value} for value in ("b", 10, "a10", "a9", 9, "a")]
    assert [row["x"] for row in run("fields x | sort x asc", *lines)] == ["a", "a9", "a10", "b", "9", "10"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "parse @message '*' as x",
        "SOURCE 'group' | fields x",
        "fields x | limit 10001",
        "fields x | limit 0",
        "fields x y",
        "fields x | | limit 1",
        "filter x like /(/",
        "filter x ~ 1",
        "filter nosuch(x)",
        "filter @requestId = 1",
        "stats stddev(x)",
        "stats max(@timestamp) by run",
        "stats count(*) | stats count(*)",
        "sort x",
        "dedup x | sort x asc",
        "limit 5 | filter x = 1",
        "filter (x = 1",
        'filter x = "1',
    ],
)
def test_what_is_wrong_or_not_known_is_refused(query: str) -> None:
    """Never is a part of a query ignored."""
    with pytest.raises(Malformed):
        run(query, *POLLS)


@pytest.mark.parametrize(
    "query",
    [
        "filter usd != 1",
        "filter not (usd = 1)",
        "filter usd not in [1]",
        "stats latest(usd) as last by message, project | filter last = 1",
        "stats max(next)",
    ],
)
def test_what_aws_does_not_document_is_refused(query: str) -> None:
    """Here a line lacks a field of which the result would depend."""
    lines: list[Json] = [*POLLS, {"message": "poll is done", "run": "c", "project": "p"}]
    with pytest.raises(Malformed, match="not documented"):
        run(query, *lines)


def test_what_is_not_documented_does_no_harm_where_nobody_looks() -> None:
    """The condition before it has already said no."""
    lines = [{"message": "poll", "run": "a", "waits": "room"}, {"message": "ended", "run": "a"}]
    query = "stats latest(message) as last, latest(waits) as why by run | filter last != 'ended' and why != 'nothing'"
    assert run(query, *lines) == []
    assert run(query, *lines[:1]) == [{"run": "a", "last": "poll", "why": "room"}]


SCALAR = st.one_of(st.text(), st.integers(-(10**9), 10**9), st.booleans())


@given(st.lists(st.fixed_dictionaries({}, optional={"a": SCALAR, "b": st.integers(-99, 99)}), max_size=12))
def test_statistics_agree_with_the_rows_they_are_of(lines: list[Json]) -> None:
    """A count and a sum over all groups are those of all rows."""
    groups = run("stats count(*) as n, count(b) as with_b, sum(b) as total by a", *lines)
    assert sum(int(group["n"]) for group in groups) == len(lines)
    assert sum(int(group["with_b"]) for group in groups) == sum("b" in line for line in lines)
    assert sum(int(group.get("total", 0)) for group in groups) == sum(line.get("b", 0) for line in lines)
    assert len(groups) == len({text(line["a"]) if "a" in line else None for line in lines})


@given(st.lists(st.dictionaries(st.just("a"), SCALAR), max_size=12), st.integers(0, 3))
def test_a_filter_and_its_opposite_share_the_rows(lines: list[Json], value: int) -> None:
    """Of those that have the field, each is in one of both; sorting loses and adds none."""
    equal = run(f"filter ispresent(a) and a = {value} | fields a | sort a desc", *lines)
    others = run(f"filter ispresent(a) and a != {value} | fields a | sort a asc", *lines)
    assert sorted(row["a"] for row in equal + others) == sorted(text(line["a"]) for line in lines if "a" in line)
    assert [sort_key(row["a"]) for row in others] == sorted(sort_key(row["a"]) for row in others)


@given(st.text(max_size=60))
def test_any_text_is_run_or_refused(query: str) -> None:
    """With Malformed, and no other error."""
    with suppress(Malformed):
        parse(query).run([])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_shown_so_that_it_is_read_again(value: float) -> None:
    """Without an exponent or a needless decimal where it is whole."""
    assert number(text(value)) == value
