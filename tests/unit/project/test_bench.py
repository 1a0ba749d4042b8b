"""The table of the bench, its targets and the arithmetic of cost; measured values are not tested."""

import json
from collections import Counter
from pathlib import Path

import orjson
import pytest

from bench import cost
from bench.cost import Bill, bill_of, checks, transitions
from bench.drops import write_drop
from bench.figures import Figure, Rounds, show, write
from bench.memory import Call
from bench.targets import mark
from tests.support.template import definition

FIGURES = [
    Figure("validate.vs_orjson", 123456.7, "requests/s", "100,000 requests/s", 0.9),
    Figure("endtoend.100.submitted", 1.25, "s"),
]


def test_the_table_marks_what_misses_its_target() -> None:
    """The reader sees at once what is wrong."""
    _, first, second = show(FIGURES).splitlines()
    assert first.split("  ")[0] == "validate.vs_orjson"
    assert "123,457" in first
    assert first.endswith("0.90   >= 1 MISSED")
    assert second.split() == ["endtoend.100.submitted", "1.25", "s"]


def test_the_file_has_the_same_lines_and_five_keys_each(tmp_path: Path) -> None:
    """Programs read the file."""
    write(FIGURES, tmp_path / "bench.json")
    first, second = json.loads((tmp_path / "bench.json").read_text())
    assert list(first) == ["name", "value", "unit", "against", "ratio"]
    assert second == {"name": "endtoend.100.submitted", "value": 1.25, "unit": "s", "against": "", "ratio": None}


@pytest.mark.parametrize(
    ("name", "ratio", "told"),
    [
        ("validate.vs_jq", 8.0, ">= 8"),
        ("validate.vs_jq", None, ">= 8"),
        ("coldstart.split.vs_boto3", 1.3, "<= 1.2 MISSED"),
        ("coldstart.split.vs_sdk", 0.3, "<= 0.35"),
        ("memory.split.2GB", 1.1, "<= 1 MISSED"),
        ("memory.report.2GB", 1.1, ""),
    ],
)
def test_a_target_has_a_direction(name: str, ratio: float | None, told: str) -> None:
    """More is better for speed, less for memory and starts; what was not measured misses nothing."""
    assert mark(name, ratio) == told


def test_two_measurements_are_compared_within_one_round() -> None:
    """A processor that became faster between rounds favours neither."""
    rounds = Rounds([{"ours": 2, "bare": 2}, {"ours": 2, "bare": 1}, {"ours": 1, "bare": 1.1}])
    assert rounds.pair("ours", "bare") == (2, 2)


def test_a_run_of_an_hour_has_three_transitions_a_check_and_eight_more() -> None:
    """`docs/operate.md` uses this number for the cost of a run."""
    assert checks(3600) == 37
    followings = ["wait"] * 36 + ["split", "report"]
    assert transitions(definition(), followings, 1) == 3 * 37 + 8
    assert transitions(definition(), followings, 5) == 3 * 37 + 8 + 4


def test_a_bill_is_the_sum_of_list_prices() -> None:
    """Each service has its own price."""
    bill = Bill(1_000_000, 1_000_000, 1_000_000, Counter(put=1_000_000, list=1_000_000, get=1_000_000), 10**9, 10**6)
    told = {name: round(dollars, 4) for name, dollars in bill.dollars().items()}
    assert told == {"step_functions": 25, "lambda": 13.5334, "s3": 10.4, "sns": 0.5, "sending": 0.09}


def test_the_measured_check_represents_all_that_wait() -> None:
    """One check is measured instead of an hour of them."""

    def call(function: str, following: str = "") -> Call:
        return Call(function, following, 60, 0.2, 0.25, Counter(get=1))

    first, waiting, last = call("submit"), call("poll", "wait"), call("report")
    calls = [first, waiting, call("poll", "split"), call("split"), call("poll", "report"), last]
    bill = bill_of(calls, 100)
    assert (bill.invocations, bill.s3["get"], bill.transitions) == (5 + 36, 41, 119)
    fast, slow = 0.25 * 1769 / 1024, 0.2 * 1769 / 512 * 512 / 1024  # submit and split; poll and report
    assert bill.gigabyte_seconds == pytest.approx(2 * fast + 39 * slow)
    assert cost.billed_seconds(first, 1769) == 0.25


def test_a_drop_is_as_large_as_was_asked_and_the_same_every_time(tmp_path: Path) -> None:
    """Otherwise two runs of the bench could not be compared."""
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        write_drop(path, 200_000, 100)
    assert one.read_bytes() == other.read_bytes()
    assert abs(one.stat().st_size - 200_000) < 4_000
    lines = [orjson.loads(line) for line in one.read_bytes().splitlines()]
    assert len({line["custom_id"] for line in lines}) == 100
    assert 10 < sum("system" in line["params"] for line in lines) < 50
