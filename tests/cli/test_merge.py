"""Merging files with those of retries, for any drop and any chain of retries."""

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from conveyor_cli.merging.merge import MergedFiles, Pair, merge

ANSWERED, PASSES, STAYS = "answered", "passes", "stays"
outcomes = st.sampled_from([ANSWERED, PASSES, STAYS])


class Request(NamedTuple):
    """A line of a drop."""

    name: str | int
    line: int


class Drop(NamedTuple):
    """A drop, what became of it, and its retries."""

    lines: list[bool]
    """Whether each line is a request; else it is blank."""
    first: list[str]
    """The outcome of each line in the run itself."""
    retries: list[list[tuple[int, str]]]
    """Of each retry: lines of the drop in any order, with their outcomes."""


@st.composite
def drops(draw: st.DrawFn) -> Drop:
    """Draw a drop whose failures are sent again, some of them, several times, in any order."""
    lines = draw(st.lists(st.booleans(), max_size=12))
    first = draw(st.lists(outcomes, min_size=len(lines), max_size=len(lines)))
    retries = []
    for _ in range(draw(st.integers(0, 3))):
        some = draw(st.lists(st.integers(0, max(len(lines) - 1, 0)), unique=True, max_size=len(lines)))
        retries.append([(at, draw(outcomes)) for at in some])
    return Drop(lines, first, retries)


def called(at: int) -> str | int:
    """Return the id of a line: some are numbers."""
    return at if at % 3 else f"r-{at}"


def result(name: str | int, run: int) -> dict[str, Any]:
    """Write a line of `results.jsonl`, in which the run is."""
    return {"custom_id": name, "response": {"run": run}, "error": None}


def failure(name: str | int, line: int, outcome: str, run: int) -> dict[str, Any]:
    """Write a line of `failures.jsonl`, in which the run is."""
    words = f'"line":{run},"error":"line":1,'
    error = {"type": "error", "message": words}
    about = {"line": line, "outcome": "errored", "retryable": outcome == PASSES, "mine": words, "number": {"line": 1}}
    return {"custom_id": name, "response": None, "error": error, **about}


def write(folder: Path, run: int, done: Iterable[tuple[Request, str]]) -> Pair:
    """Write the files of a run."""
    pair = Pair(folder / f"results-{run}", folder / f"failures-{run}")
    done = list(done)
    good = [result(request.name, run) for request, outcome in done if outcome == ANSWERED]
    bad = [failure(*request, outcome, run) for request, outcome in done if outcome != ANSWERED]
    for path, lines in zip(pair, (good, bad), strict=True):
        path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return pair


def expected(drop: Drop) -> tuple[list[tuple[str | int, int]], list[tuple[str | int, int, int]]]:
    """Return each result with the run that answered it, and each failure with its line and the run of its last one."""
    last = dict[int, tuple[str, int]]()
    for at, (is_request, outcome) in enumerate(zip(drop.lines, drop.first, strict=True)):
        if is_request:
            last[at] = (outcome, 0)
    for run, retry in enumerate(drop.retries, start=1):
        for at, outcome in retry:
            if at in last and drop.first[at] == PASSES and last[at][0] != ANSWERED:
                last[at] = (outcome, run)
    good = [(called(at), run) for at, (outcome, run) in sorted(last.items()) if outcome == ANSWERED]
    bad = [(called(at), at + 1, run) for at, (outcome, run) in sorted(last.items()) if outcome != ANSWERED]
    return good, bad


def merged(drop: Drop, folder: Path, blank: list[int] | None) -> MergedFiles:
    """Write all files, and merge them."""
    own = [(Request(called(at), at + 1), drop.first[at]) for at, is_request in enumerate(drop.lines) if is_request]
    again = [[(Request(called(at), place), outcome) for place, (at, outcome) in enumerate(each, start=1)]
             for each in drop.retries]  # fmt: skip
    pairs = [write(folder, run, done) for run, done in enumerate([own, *again])]
    to = Pair(folder / "results", folder / "failures")
    return merge(pairs[0], pairs[1:], to, blank, folder / "scratch")


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file."""
    return list(map(json.loads, path.read_bytes().splitlines()))


@given(drops())
@settings(max_examples=150, deadline=None)
def test_each_request_is_there_once_with_its_last_outcome(drop: Drop) -> None:
    """In the order of the drop; an answer is never replaced, and a failure that stays is never sent again."""
    good, bad = expected(drop)
    blank = [line for line, is_request in enumerate(drop.lines, start=1) if not is_request]
    with TemporaryDirectory() as name:
        files = merged(drop, Path(name), blank)
        results, failures = read(files.results.path), read(files.failures.path)
        assert not Path(name, "scratch").exists()
    assert [(line["custom_id"], line["response"]["run"]) for line in results] == good
    assert [(line["custom_id"], line["line"]) for line in failures] == [each[:2] for each in bad]
    assert [line["error"]["message"][:8] for line in failures] == [f'"line":{run}' for *_, run in bad]
    assert (files.results.lines, files.failures.lines) == (len(good), len(bad))
    assert files.mended == sum(run > 0 for _, run in good)


@given(drops())
@settings(max_examples=50, deadline=None)
def test_without_a_known_order_new_results_are_at_the_end(drop: Drop) -> None:
    """No line is lost, and none is there twice."""
    good, bad = expected(drop)
    with TemporaryDirectory() as name:
        files = merged(drop, Path(name), None)
        results, failures = read(files.results.path), read(files.failures.path)
    assert [(line["custom_id"], line["response"]["run"]) for line in results] == sorted(
        good, key=lambda each: each[1] > 0
    )
    assert len(failures) == len(bad)
