"""What the answers of the probe say about the rest of a drop."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Probe, ProbeLine, ValidatedDrop
from conveyor.gates.verdict import Verdict, verdict_of
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.ledger.part import Answer
from conveyor.money.estimate import Estimate, ModelEstimate

FAILED, CUT_OFF, STUCK = ReasonCode.PROBE_FAILED, ReasonCode.CUT_OFF, ReasonCode.PROBE_STUCK
CENT, FREE = (Decimal("0.01"), Decimal("0.02")), (Decimal(0), Decimal(0))


def ok(stop: str = "end_turn") -> Answer:
    """Return a success; its line is filled in later."""
    return Answer(0, Outcome.SUCCEEDED, stop=stop, input_usd=CENT[0], output_usd=CENT[1])


def bad(error: str = "invalid_request_error", *, recurs: bool = True) -> Answer:
    """Return an error."""
    return Answer(0, Outcome.ERRORED, error, recurs, input_usd=FREE[0], output_usd=FREE[1])


def gone(outcome: Outcome = Outcome.EXPIRED) -> Answer:
    """Return a request that the provider did not run."""
    is_free = outcome in (Outcome.EXPIRED, Outcome.CANCELED)
    return Answer(0, outcome, input_usd=FREE[0] if is_free else None, output_usd=FREE[1] if is_free else None)


def verdict(models: dict[str, list[Answer]], *, max_tokens: int = 1_024, of: int = 1_000, most: str = "90") -> Verdict:
    """Return the verdict on a drop of so many requests for each model, whose probe was answered so."""
    pairs = [(model, answer) for model, answers in models.items() for answer in answers]
    lines = [ProbeLine(20 * number, model, max_tokens, 100) for number, (model, _) in enumerate(pairs, 1)]
    answers = [
        Answer(line.line, each.outcome, each.error, each.will_recur, each.stop, each.input_usd, each.output_usd)
        for line, (_, each) in zip(lines, pairs, strict=True)
    ]
    each = ModelEstimate(of, 100 * of, 9, Decimal(most))
    estimate = Estimate(Decimal(most) * len(models), 100 * of, 9, dict.fromkeys(models, each))
    drop = ValidatedDrop(of * len(models), "f00", estimate=estimate, probe=Probe(lines, [], "f00"))
    return verdict_of(drop, answers)


def codes(models: dict[str, list[Answer]], max_tokens: int = 1_024) -> list[ReasonCode]:
    """Return the codes of the reasons."""
    return [reason.code for reason in verdict(models, max_tokens=max_tokens).reasons]


def test_a_probe_that_is_answered_says_what_the_run_will_cost_and_nothing_else() -> None:
    """Its gate opens."""
    found = verdict({"m": [ok()] * 50})
    assert found.reasons == []
    assert found.forecast is not None
    assert found.forecast.usd == Decimal(30)


@pytest.mark.parametrize(
    ("answers", "fails"),
    [
        ([bad()] * 3, True),
        ([bad()] * 2 + [ok()] * 2, True),
        ([bad()] * 2 + [ok()] * 3, False),
        ([bad()] * 25 + [ok()] * 25, True),
        ([bad()] * 24 + [ok()] * 26, False),
        ([bad()] * 1 + [ok()] * 1, False),
        ([bad()] * 3 + [gone()] * 47, True),
        ([bad("overloaded_error", recurs=False)] * 40 + [ok()] * 10, False),
        ([bad("overloaded_error", recurs=False)] * 20 + [bad()] * 20, True),
    ],
)
def test_half_of_a_models_answered_requests_must_fail_for_reasons_that_come_again(
    answers: list[Answer], *, fails: bool
) -> None:
    """From three answered requests on: what was not run is not answered, and what passes is no reason."""
    assert codes({"m": answers}) == ([FAILED] if fails else [])


def test_failures_are_told_by_model_with_their_types() -> None:
    """One model that does not take a setting does not hide behind another that does."""
    answers = [bad()] * 16 + [bad("not_found_error")] * 2 + [ok()] * 2
    (reason,) = verdict({"claude-x": answers, "claude-y": [ok()] * 30}).reasons
    assert reason.message == (
        "18 of 20 requests for claude-x that were run failed, and would fail again: "
        "invalid_request_error (16), not_found_error (2)"
    )


def test_models_that_are_not_kept_apart_have_no_name_of_their_own() -> None:
    """A drop that names more than 50."""
    (reason,) = verdict({"": [bad()] * 3}).reasons
    assert reason.message.startswith("3 of 3 requests for other models that were run failed")


@pytest.mark.parametrize(
    ("cut", "whole", "max_tokens", "closes"),
    [
        (5, 0, 1_024, True),
        (4, 0, 1_024, False),
        (12, 12, 256, True),
        (12, 13, 256, False),
        (50, 0, 255, False),
        (50, 0, 1, False),
    ],
)
def test_a18_half_of_a_models_answers_must_be_cut_off_and_not_on_purpose(
    cut: int, whole: int, max_tokens: int, *, closes: bool
) -> None:
    """A18: a request for a class or a score is cut off by design."""
    answers = [ok("max_tokens")] * cut + [ok()] * whole
    assert codes({"m": answers}, max_tokens) == ([CUT_OFF] if closes else [])


def test_answers_that_are_cut_off_are_counted_by_model() -> None:
    """Failures are no answers."""
    answers = [ok("max_tokens")] * 12 + [ok()] * 8 + [bad()] * 5
    (reason,) = verdict({"claude-x": answers, "claude-y": [ok()] * 20}).reasons
    assert reason.message == "12 of 20 answers of claude-x are cut off at max_tokens"


@pytest.mark.parametrize(
    ("answers", "counts"),
    [
        ([gone()] * 50, "50 expired"),
        ([gone(Outcome.MISSING)] * 30 + [gone(Outcome.STUCK)] * 20, "30 missing, 20 stuck"),
        ([gone(Outcome.CANCELED)] * 49 + [bad()], "49 canceled, 1 errored"),
        ([bad("overloaded_error", recurs=False)] * 50, "50 errored"),
    ],
)
def test_a20_a_probe_without_any_answer_closes_the_gate(answers: list[Answer], counts: str) -> None:
    """A20: nothing is known of the rest, whatever the reason is."""
    (reason,) = verdict({"m": answers}).reasons
    assert reason.code is STUCK
    assert reason.message == f"none of the 50 requests of the probe was answered: {counts}"


def test_a_probe_that_failed_is_not_called_unanswered() -> None:
    """One reason says it."""
    assert codes({"m": [bad()] * 50}) == [FAILED]
    (reason,) = verdict({"m": [gone()]}).reasons
    assert reason.message == "the 1 request of the probe was not answered: 1 expired"


def test_of_many_models_five_are_named_and_their_names_are_cut() -> None:
    """Whoever drops a file chooses them, and the message stays short."""
    names = ["m\nTo approve, type:", "x" * 300, *(f"m-{number}" for number in range(6))]
    reasons = verdict({name: [bad()] * 3 for name in names}).reasons
    assert [reason.code for reason in reasons] == [FAILED] * 6
    assert reasons[-1].message == "it is the same for 3 more models"
    assert "\n" not in "".join(reason.message for reason in reasons)
    assert all(len(reason.message) < 200 for reason in reasons)


def test_an_answer_whose_cost_is_not_known_leaves_no_forecast() -> None:
    """A sum of the others would look like the whole."""
    unpriced = Answer(0, Outcome.SUCCEEDED, stop="end_turn")
    assert verdict({"m": [ok()] * 49 + [unpriced]}).forecast is None


def test_a_result_that_may_have_been_billed_counts_like_the_lines_to_come() -> None:
    """It could not be had; one that surely cost nothing is settled."""
    unknown, free = verdict({"m": [ok()] * 49 + [gone(Outcome.STUCK)]}), verdict({"m": [ok()] * 49 + [gone()]})
    assert unknown.forecast is not None
    assert unknown.forecast.usd == Decimal(30)
    assert free.forecast is not None
    assert free.forecast.usd == Decimal("29.97")


def test_a_drop_without_a_probe_has_no_verdict() -> None:
    """Nor one that was planned before there were probes."""
    assert verdict_of(ValidatedDrop(9, "f00"), []) == Verdict([], None)


ANSWERS = st.lists(st.sampled_from([ok(), ok("max_tokens"), bad(), bad("x", recurs=False), *map(gone, Outcome)]))


@given(st.dictionaries(st.text(max_size=5), ANSWERS, max_size=4))
def test_whatever_the_answers_are_there_is_a_verdict(models: dict[str, list[Answer]]) -> None:
    """And the forecast lies between what was spent and the bound."""
    found = verdict(models)
    has_success = any(answer.outcome is Outcome.SUCCEEDED for answers in models.values() for answer in answers)
    assert has_success or found.reasons
    spent = sum((answer.input_usd or 0) + (answer.output_usd or 0) for each in models.values() for answer in each)
    if found.forecast is not None:
        assert spent <= found.forecast.low_usd <= found.forecast.high_usd <= 90 * len(models)
