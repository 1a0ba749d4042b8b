"""No line of a drop or of results exhausts the memory of a function."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.jsonl.complexity import MOST_VALUES, has_too_many_values
from conveyor.jsonl.lines import Line
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES

PROJECT = Path(__file__).parents[3]
REPORTED = PROJECT / "tests" / "data" / "reports" / "02-line-of-32MB-nested.jsonl.gz"
MOST_MB = 400
RULES = Rules(MESSAGES, 16)

CHECK = """
from tests.support.drops import MESSAGES, RUN, settings
from conveyor.validation.checker import check_drop

check = check_drop(RUN, settings(), MESSAGES, lambda: read(1 << 23))
output = [fault.code for fault in check.faults] or [check.requests]
"""
SPLIT = """
from conveyor.provider.{0}.results import decode_results
from conveyor.domain.plan import Batch
from conveyor.split.collector import Collector
from conveyor.split.spool import Spool

batch = Batch(1, 1, 0, 9, 10**9, 9)
with Spool(batch, 10**10) as spool:
    collector = Collector("0123456789", spool)
    for result in decode_results(read(1 << 16)):
        collector.add(result)
        output = [result.outcome.value, result.is_repaired]
        del result
    collector.finish()
    spool.flush()
    assert len(spool.find(1).body) > 0
"""
PEAK = """
import sys
import boto3
import conveyor.poll.poll, conveyor.report.report, conveyor.split.split, conveyor.submit.submit
from bench.usage import peak_mb

boto3.client("s3", region_name="us-east-1")

def read(size):
    with open(sys.argv[1], "rb") as file:
        while data := file.read(size):
            yield data

{0}
print(peak_mb(), *output)
"""


def peak(code: str, path: Path) -> tuple[float, list[str]]:
    """Run code on a file in a separate process; return its peak memory in MB and what it printed."""
    paths = os.pathsep.join(map(str, (PROJECT, PROJECT / "layers" / "conveyor")))
    command = [sys.executable, "-c", PEAK.replace("{0}", code), str(path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, check=False, text=True)  # noqa: S603  # our own code
    assert not done.returncode, done.stderr[-2000:]
    megabytes, *output = done.stdout.split()
    return float(megabytes), output


def long_line(unit: Callable[[int], str], marks: int, size: int = 31_990_000) -> bytes:
    """Write a request with four-byte characters in Python's memory, and as many values as allowed."""
    values = "".join(map(unit, range((MOST_VALUES - 100) // marks)))
    head = '{"custom_id":"1","params":{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"\U0001f600'
    tail = f'"}}],"tools":[{{"name":"t","input_schema":{{"x":[{values}0]}}}}]}}}}\n'.encode()
    return head.encode() + b"x" * (size - len(head.encode()) - len(tail)) + tail


@pytest.mark.slow
def test_the_line_that_exhausted_memory_is_refused_as_too_complex(tmp_path: Path) -> None:
    """It has its own fault code, and checking it takes little memory."""
    path = tmp_path / "drop"
    path.write_bytes(gzip.decompress(REPORTED.read_bytes()))
    megabytes, output = peak(CHECK, path)
    assert output == ["line-too-complex"]
    assert megabytes < MOST_MB / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unit", "marks"),
    [(lambda n: f'{{"\U0001f600{n}":"\U0001f600{n}"}},', 2), (lambda _: "[" * 900 + "]" * 900 + ",", 901)],
)
def test_the_most_complex_lines_that_are_accepted_stay_within_bounds(
    tmp_path: Path, unit: Callable[[int], str], marks: int
) -> None:
    """The line has the most values and the largest text allowed."""
    path = tmp_path / "drop"
    path.write_bytes(long_line(unit, marks))
    megabytes, output = peak(CHECK, path)
    assert output == ["1"]
    assert megabytes < MOST_MB


@pytest.mark.slow
def test_a_line_that_is_not_json_is_reported_within_bounds(tmp_path: Path) -> None:
    """Python stores four bytes for each character, and the fault is at the end."""
    path = tmp_path / "drop"
    head = '{"custom_id":"1","params":{"x":"\U0001f600'.encode()
    path.write_bytes(head + b"x" * 22_000_000 + rb"\ud83d" + b'"}}\n')
    megabytes, output = peak(CHECK, path)
    assert output == ["half-character"]
    assert megabytes < MOST_MB


MESSAGE = b'{"custom_id":"0123456789-1","result":{"type":"succeeded","message":{"model":%b,"content":%b}}}\n'
BODY = b'{"custom_id":"0123456789-1","response":{"status_code":200,"body":{"model":%b,"content":%b}},"error":null}\n'


def half_a_pair() -> bytes:
    """Write a JSON string that needs repair and that Python stores in four bytes a character."""
    return b'"\\ud800' + b"x" * 49_000_000 + "\U0001f600".encode() + b'"'


def lists() -> bytes:
    """Write an array of as many values as fit into a line."""
    return b"[%b0]" % (b"[]," * 16_000_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decoder", "form", "model", "content", "is_repaired"),
    [
        ("messages", MESSAGE, bytes, half_a_pair, True),
        ("files", BODY, bytes, half_a_pair, True),
        ("files", BODY, lists, bytes, False),
    ],
)
def test_the_longest_result_lines_stay_within_bounds(  # noqa: PLR0913, PLR0917  # a row of the table
    tmp_path: Path,
    decoder: str,
    form: bytes,
    model: Callable[[], bytes],
    content: Callable[[], bytes],
    is_repaired: bool,  # noqa: FBT001
) -> None:
    """Lines that need repair and lines with an invalid model are included."""
    path = tmp_path / "results"
    path.write_bytes(form % (model() or b'"m"', content() or b'"x"'))
    megabytes, output = peak(SPLIT.replace("{0}", decoder), path)
    assert output == ["succeeded", str(is_repaired)]
    assert megabytes < MOST_MB


def request(tools: str, content: str = "x") -> bytes:
    """Write a line with these values, in tools or in the prompt."""
    start = (
        f'{{"custom_id":"a","params":{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"{content}"}}],'
    )
    return f'{start}"tools":[{{"name":"t","input_schema":{{"x":[{tools}]}}}}]}}}}'.encode()


@pytest.mark.parametrize(
    ("written", "is_taken"),
    [
        (lambda: request("1," * (MOST_VALUES - 40) + "1"), True),
        (lambda: request("1," * MOST_VALUES + "1"), False),
        (lambda: request("[]," * MOST_VALUES + "1"), False),
        (lambda: request("1", ",[{" * MOST_VALUES), True),
        (lambda: request("1", '\\"' * MOST_VALUES + ",[{" * MOST_VALUES), True),
        (lambda: request("1", "\\\\" * (MOST_VALUES + 1) + ",[{" * MOST_VALUES), True),
        (lambda: request('"a\\\\",' * MOST_VALUES + "1"), False),
    ],
    ids=["most", "numbers", "lists", "prompt", "quotes", "backslashes", "backslash-at-the-end"],
)
def test_only_values_outside_of_strings_count(written: Callable[[], bytes], is_taken: bool) -> None:  # noqa: FBT001
    """A prompt may contain a table of any length."""
    raw = written()
    checked = read_request(Line(1, 0, len(raw), raw), RULES)
    if is_taken:
        assert isinstance(checked, Request)
    else:
        assert isinstance(checked, list)
        assert [fault.code for fault in checked] == ["line-too-complex"]
        assert f"{MOST_VALUES:,} values" in checked[0].message


def test_as_many_messages_as_the_api_accepts_are_not_too_many() -> None:
    """Each message has one text part."""
    message = b'{"role":"user","content":[{"type":"text","text":"Hi"}]}'
    assert not has_too_many_values(b'{"custom_id":"a","params":{"messages":[%b]}}' % b",".join([message] * 100_000))


PIECES = st.sampled_from(
    ['"a"', '",[{"', r'"\""', r'"\\"', r'"\\\","', "[1,2]", '{"a":[]}', "{}", '"\\\\\\\\"', '"é,"']
)


@given(st.lists(PIECES, min_size=1, max_size=30), st.integers(0, 40), st.integers(65_490, 65_540))
def test_values_are_counted_wherever_the_text_is_cut(pieces: list[str], most: int, padding: int) -> None:
    """Escapes and strings may cross the border of two pieces."""
    text = ('["' + "x" * padding + '",' + ",".join(pieces) + "]").encode()
    values = 2 + sum({"[1,2]": 3, '{"a":[]}': 3, "{}": 2}.get(piece, 1) for piece in pieces)
    marks = 1 + len(pieces) + sum({"[1,2]": 2, '{"a":[]}': 2, "{}": 1}.get(piece, 0) for piece in pieces)
    assert marks >= values - 2
    assert has_too_many_values(text, most) == (marks > most)
