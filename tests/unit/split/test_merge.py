"""Parts are merged with what rounds have made of their failures, whatever the outcomes and the order of the parts."""

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from conveyor.domain import keys
from conveyor.domain.outcome import Error, Outcome, OutputKind, Result
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.line_index import LineIndex
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Merged
from conveyor.split.merge import merge
from conveyor.split.outputs import Output
from tests.support.examples import NOW
from tests.support.sent_runs import SentRun, running

if TYPE_CHECKING:
    from conveyor.context import RunContext

RESULTS = {
    "succeeded": Result("", Outcome.SUCCEEDED, response=b'{"id":"msg"}'),
    "overloaded_error": Result("", Outcome.ERRORED, error=Error("overloaded_error", "Überlastet")),
    "expired": Result("", Outcome.EXPIRED, error=Error("expired", "late")),
    "canceled": Result("", Outcome.CANCELED, error=Error("canceled", "a person")),
    "invalid_request_error": Result("", Outcome.ERRORED, error=Error("invalid_request_error", "no")),
    "stuck": Result("", Outcome.STUCK, error=Error("stuck", "lost")),
}
PASSES = {"overloaded_error", "expired"}
RETRYABLE = PASSES | {"canceled"}
ENDINGS = st.sampled_from(sorted(RESULTS))


class Written(NamedTuple):
    """Outcomes by line, in the order in which they were written; and whether that is the order of the drop."""

    outcomes: dict[int, str]
    ordered: bool


@st.composite
def written(draw: st.DrawFn, lines: list[int]) -> Written:
    """Make up outcomes of lines, in their order or in that of their arrival."""
    ordered = draw(st.booleans())
    order = lines if ordered else draw(st.permutations(lines))
    return Written({line: draw(ENDINGS) for line in order}, ordered)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Written]]:
    """Make up a range, and the batches of rounds that send again some of what failed for a reason that passes."""
    history = [[draw(written(sorted(draw(st.sets(st.integers(1, 60), max_size=20)))))]]
    for _ in range(draw(st.integers(0, 3))):
        waiting = sorted(line for part in history[-1] for line, ending in part.outcomes.items() if ending in PASSES)
        cut = draw(st.integers(0, len(waiting)))
        history.append([draw(written(waiting[:cut])), draw(written(waiting[cut:]))][: draw(st.integers(0, 2))])
    return history


def output(line: int, ending: str, leg: int) -> tuple[bytes, OutputKind]:
    """Return the line of output of an outcome. The leg is named in the id, so that it shows which one is kept."""
    made = Output.of(RESULTS[ending], line, has_rounds=True)
    return made.line(b'"%d of %d"' % (line, leg)), made.kind


@cache
def sent_run() -> tuple[SentRun, dict[str, bytes]]:
    """Return a run, and its objects before anything is split: its clients are built once, which takes longest."""
    sent = SentRun(running("messages"))
    return sent, dict(sent.bucket.objects)


class Merging:
    """A bucket with the parts of a history."""

    def __init__(self, history: list[list[Written]]) -> None:
        """Write the parts, their indexes and their facts."""
        self.sent, objects = sent_run()
        self.sent.bucket.objects = dict(objects)
        self.context: RunContext = self.sent.clients.context("run-1", self.sent.invocation())
        for leg, parts in enumerate(history):
            if leg:
                self.sent.bucket.objects[keys.plan(f"run-1/round-{leg}")] = b"{}\n"
            for number, part in enumerate(parts, 1):
                self._write(leg, number, part)

    def _write(self, leg: int, number: int, part: Written) -> None:
        context = self.context.of_leg(keys.round_leg(leg) if leg else "")
        content, index = {keys.RESULTS: b"", keys.FAILURES: b"", keys.RETRY: b""}, LineIndex()
        for line, ending in part.outcomes.items():
            bytes_, kind = output(line, ending, leg)
            content[keys.RESULTS if kind is OutputKind.SUCCEEDED else keys.FAILURES] += bytes_
            index.add(line, len(bytes_), kind)
        retries = sorted(line for line, ending in part.outcomes.items() if ending in RETRYABLE)
        content[keys.RETRY] = b"".join(original(line) for line in retries)
        files = []
        for name, data in content.items():
            key = keys.output_part(context.content_prefix, number, name)
            self.sent.bucket.objects[key] = data
            files.append(OutputFile(key, data.count(b"\n"), len(data), "f00"))
        self.sent.bucket.objects[keys.line_index(context.content_prefix, number)] = index.encode()
        fact = Part("w", NOW, {}, 0, 0, 0, {}, files, None, ordered=part.ordered)
        context.ledger.write(fact, number)

    def merge(self) -> tuple[Merged, dict[str, list[bytes]]]:
        """Merge the range; return its account, and the lines of its files by name."""
        assert merge(self.context, 1) == "merged"
        fact = self.context.ledger.read(Merged, 1)
        files = {keys.file_of(file.key): self.sent.bucket.objects[file.key] for file in fact.files}
        assert all(file.lines == len(files[keys.file_of(file.key)].splitlines()) for file in fact.files)
        return fact, {name: data.splitlines(keepends=True) for name, data in files.items()}


def original(line: int) -> bytes:
    """Return a line of the drop."""
    return b'{"custom_id": "%d"}\n' % line


def model(history: list[list[Written]]) -> tuple[dict[int, tuple[str, int]], list[str]]:
    """Return the ending of each line and the leg that it is from, in the order of the range; and what was replaced."""
    kept = {line: (ending, 0) for line, ending in history[0][0].outcomes.items()}
    replaced = []
    for leg, parts in enumerate(history[1:], 1):
        for line, ending in ((line, ending) for part in parts for line, ending in part.outcomes.items()):
            replaced.append(kept[line][0])
            kept[line] = (ending, leg)
    return kept, replaced


@given(histories())
def test_each_line_has_its_last_outcome_and_what_it_replaces_is_counted(history: list[list[Written]]) -> None:
    """In the order of the range, if the range and the rounds have one."""
    fact, files = Merging(history).merge()
    kept, replaced = model(history)
    expected: dict[str, list[bytes]] = {keys.RESULTS: [], keys.FAILURES: []}
    for line, (ending, leg) in kept.items():
        bytes_, kind = output(line, ending, leg)
        expected[keys.RESULTS if kind is OutputKind.SUCCEEDED else keys.FAILURES].append(bytes_)
    for name, lines in expected.items():
        in_order = all(part.ordered for parts in history for part in parts)
        assert (files[name] if in_order else sorted(files[name])) == (lines if in_order else sorted(lines))
    retries = [original(line) for line in sorted(kept) if kept[line][0] in RETRYABLE]
    assert files.get(keys.RETRY, []) == retries
    assert fact.lines == sum(leg > 0 for _, leg in kept.values())
    assert fact.retryable == len(replaced)
    assert fact.outcomes == Counter("errored" if ending == "overloaded_error" else ending for ending in replaced)
    assert {name: kind.failures for name, kind in fact.errors.items()} == Counter(replaced)


@settings(max_examples=25)
@given(histories())
def test_merging_again_writes_the_same_bytes(history: list[list[Written]]) -> None:
    """Under the same keys: two may do it at once, and one may have died before its fact."""
    merging = Merging(history)
    fact, _ = merging.merge()
    objects = dict(merging.sent.bucket.objects)
    key = Merged.key("run-1", 1)
    del merging.sent.bucket.objects[key]
    again, _ = merging.merge()
    assert merging.sent.bucket.objects.keys() == objects.keys()
    assert all(merging.sent.bucket.objects[each] == objects[each] for each in objects if each != key)
    assert (again.files, again.outcomes, again.errors) == (fact.files, fact.outcomes, fact.errors)


def test_a_success_is_never_replaced() -> None:
    """Whatever a later round says; that outcome counts no more, in its place."""
    history: list[Any] = [Written({7: "expired"}, True), Written({7: "succeeded"}, True), Written({7: "stuck"}, True)]  # noqa: FBT003
    fact, files = Merging([[part] for part in history]).merge()
    assert [orjson.loads(line)["custom_id"] for line in files[keys.RESULTS]] == ["7 of 1"]
    assert files[keys.FAILURES] == []
    assert (fact.outcomes, fact.lines) == ({"expired": 1, "stuck": 1}, 1)


def test_a_range_whose_lines_are_in_no_round_keeps_its_parts() -> None:
    """A batch that was split too late for every round, for example."""
    merging = Merging([[Written({1: "expired", 2: "succeeded"}, ordered=True)], []])
    before = dict(merging.sent.bucket.objects)
    fact, _ = merging.merge()
    assert fact.files == merging.context.ledger.read(Part, 1).files
    assert merging.sent.bucket.objects.keys() - before.keys() == {Merged.key("run-1", 1)}
