"""What the answers of the probe say about the rest of a drop: whether it would fail, and what it will cost. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Probe, ProbeLine, ValidatedDrop
from conveyor.ledger.gate_facts import Reason, ReasonCode
from conveyor.ledger.part import Answer
from conveyor.money.estimate import Estimate
from conveyor.money.forecast import Forecast, Observation, forecast_of
from conveyor.wording.text import counted, one_line

_FEWEST_ANSWERED = 3
"""Requests for a model that must be answered before failures say anything about it."""
_FEWEST_ANSWERS = 5
"""Answers of a model that must be there before those that are cut off say anything about it."""
_LEAST_MAX_TOKENS = 256
"""Below this, a request means its answer to be cut off: a class, a score, yes or no."""
_HALF = 0.5
_MOST_NAMED = 5
_LONGEST_MODEL = 60
_CUT_OFF = "max_tokens"


class Verdict(NamedTuple):
    """What the probe has shown."""

    reasons: list[Reason]
    """Why nothing more should be sent without an approval, apart from what it costs."""
    forecast: Forecast | None
    """None if the answers do not say what the rest will cost."""


class _Line(NamedTuple):
    """A line of the probe, and what became of it."""

    sent: ProbeLine
    answer: Answer

    @property
    def is_answered(self) -> bool:
        """Whether the provider ran the request."""
        return self.answer.outcome in (Outcome.SUCCEEDED, Outcome.ERRORED)

    @property
    def is_success(self) -> bool:
        """Whether it has an answer."""
        return self.answer.outcome is Outcome.SUCCEEDED

    @property
    def fails_again(self) -> bool:
        """Whether it failed, and would fail again."""
        return self.answer.outcome is Outcome.ERRORED and self.answer.will_recur


def verdict_of(drop: ValidatedDrop, answers: Sequence[Answer]) -> Verdict:
    """Return what the answers of a drop's probe say. `answers`: of its lines, whatever became of them."""
    if drop.probe is None:
        return Verdict([], None)
    by_line = {answer.line: answer for answer in answers}
    lines = [_Line(sent, by_line[sent.line]) for sent in drop.probe.lines if sent.line in by_line]
    failed = _by_model(lines, _failures, ReasonCode.PROBE_FAILED)
    cut_off = _by_model(lines, _cut_off, ReasonCode.CUT_OFF)
    stuck = [] if failed or any(line.is_success for line in lines) else [_stuck(drop.probe, lines)]
    return Verdict([*failed, *cut_off, *stuck], _forecast(drop.estimate, lines))


type _Finding = Callable[[str, list[_Line]], str | None]
"""Says what is wrong with the lines of one model, if anything."""


def _by_model(lines: list[_Line], find: _Finding, code: ReasonCode) -> list[Reason]:
    models = dict.fromkeys(line.sent.model for line in lines)
    found = [find(_named(model), [line for line in lines if line.sent.model == model]) for model in models]
    texts = [text for text in found if text]
    more = len(texts) - _MOST_NAMED
    rest = [f"it is the same for {counted(more, 'more model')}"] if more > 0 else []
    return [Reason(code, text) for text in [*texts[:_MOST_NAMED], *rest]]


def _failures(model: str, lines: list[_Line]) -> str | None:
    answered, failed = sum(line.is_answered for line in lines), [line for line in lines if line.fails_again]
    if answered < _FEWEST_ANSWERED or len(failed) < answered * _HALF:
        return None
    types = Counter(line.answer.error or "error" for line in failed).most_common()
    named = ", ".join(f"{kind} ({count:,})" for kind, count in types[:_MOST_NAMED])
    more = f" and {counted(len(types) - _MOST_NAMED, 'more type')}" if len(types) > _MOST_NAMED else ""
    what = f"{len(failed):,} of {answered:,} requests for {model} that were run failed, and would fail again"
    return f"{what}: {named}{more}"


def _cut_off(model: str, lines: list[_Line]) -> str | None:
    answers = [line for line in lines if line.is_success and line.sent.max_tokens >= _LEAST_MAX_TOKENS]
    cut_off = sum(line.answer.stop == _CUT_OFF for line in answers)
    if len(answers) < _FEWEST_ANSWERS or cut_off < len(answers) * _HALF:
        return None
    return f"{cut_off:,} of {len(answers):,} answers of {model} are cut off at max_tokens"


def _stuck(probe: Probe, lines: list[_Line]) -> Reason:
    """Return that the probe has shown nothing: not one of its requests has an answer."""
    outcomes = Counter(line.answer.outcome.value for line in lines).most_common()
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes)
    none = f"none of the {probe.requests:,} requests of the probe was"
    text = f"{none if probe.requests > 1 else 'the 1 request of the probe was not'} answered"
    return Reason(ReasonCode.PROBE_STUCK, f"{text}: {counts}" if counts else text)


def _forecast(estimate: Estimate | None, lines: list[_Line]) -> Forecast | None:
    """Return what the run will cost; None if the cost of an answer is not known."""
    if estimate is None or any(line.is_success and line.answer.input_usd is None for line in lines):
        return None
    found = [_observation(line) for line in lines]
    return forecast_of(estimate, [each for each in found if each is not None])


def _observation(line: _Line) -> Observation | None:
    """Return what a line has cost. What may have been billed, and is not known, counts like the lines to come."""
    sent, answer = line
    if answer.input_usd is None or answer.output_usd is None:
        return None
    is_typical = line.is_success or line.fails_again
    return Observation(sent.model, sent.tokens, answer.input_usd, answer.output_usd, is_typical)


def _named(model: str) -> str:
    return one_line(model, _LONGEST_MODEL) or "other models"
