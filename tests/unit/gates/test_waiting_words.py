"""The message of a run that waits: what a person who pays reads, and what cannot be smuggled into it."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Batch, Plan, Probe, ProbeLine, ValidatedDrop
from conveyor.gates.gate import Held
from conveyor.gates.message import is_last_call, waiting_notice
from conveyor.gates.probe_message import Shown
from conveyor.gates.reasons import reasons_of
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.part import Answer
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.forecast import Forecast, ModelForecast
from tests.support.examples import NOW, RUN, SENT
from tests.support.promises import plain

TEXTS = {code: f"the reason {code.value}" for code in ReasonCode}


def held(
    *codes: ReasonCode, requests: int = 2, sent: int = 0, need: str | None = "61.40", models: tuple[str, ...] = ("m",)
) -> Held:
    """Return where a run stands, for these reasons."""
    dollars = Decimal(need) if need else None
    reasons = [Reason(code, TEXTS[code]) for code in codes]
    gate = Gate("w", NOW, open=False, reasons=reasons, need_usd=dollars, until=NOW + timedelta(hours=72))
    each = {model: ModelEstimate(requests, 9, 9, dollars) for model in models}
    estimate = Estimate(dollars, 9, 9, each, {} if need else {"url": requests})
    drop = ValidatedDrop(requests, "f00", estimate=estimate)
    return Held(1, gate, Plan(drop, [Batch(1, 1, 0, requests=requests)]), sent=sent)


@pytest.mark.parametrize("requests", [1, 2, 10_000])
@pytest.mark.parametrize("sent", [0, 1])
@pytest.mark.parametrize("need", ["61.40", None])
@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_message_fits_and_counts_as_people_do(
    code: ReasonCode, need: str | None, sent: int, requests: int
) -> None:
    """SNS takes subjects of fewer than 100 ASCII characters."""
    name = "team/" + "a-long-name" * 20
    notice = waiting_notice(replace(RUN, name=name), held(code, requests=requests, sent=sent, need=need), SENT)
    assert len(notice.subject) <= 99
    assert notice.subject.isascii()
    said = f"{notice.subject}\n{notice.message}"
    assert not re.search(r"(?<![\d,.])1 requests", said)
    assert not re.search(r"(?:[02-9]|\d[\d,]*\d) request\b", said)
    assert "None" not in said


def test_nothing_is_said_of_charges_that_were_not_made() -> None:
    """Before anything is sent, and after."""
    before = plain(waiting_notice(RUN, held(ReasonCode.ASKED), SENT).message)
    assert "It has 2 requests, and may cost up to $61.40. Nothing was sent, and nothing was charged." in before
    assert "the run is declined: nothing is sent." in before
    after = plain(waiting_notice(RUN, held(ReasonCode.PAUSED, sent=1), SENT).message)
    assert "1 of 2 requests was sent before: what was sent goes on, and is charged." in after
    assert "nothing was charged" not in after
    assert "the run is declined: nothing more is sent. What was sent before is delivered as usual." in after


@pytest.mark.parametrize(
    ("code", "need", "said"),
    [
        (ReasonCode.ASKED, "61.40", "To let it run and cost up to $61.40 in all, or a larger amount that you name:"),
        (ReasonCode.ASKED, None, "To let it run whatever it costs:"),
        (
            ReasonCode.MODEL,
            "61.40",
            "To let it run, with these models, and cost up to $61.40 in all, or a larger amount",
        ),
        (ReasonCode.PAUSED, "61.40", "To let it go on:"),
    ],
)
def test_the_sentence_before_the_command_says_what_the_command_allows(
    code: ReasonCode, need: str | None, said: str
) -> None:
    """A pause is not about money: an amount that was approved before stays in force."""
    assert said in plain(waiting_notice(RUN, held(code, need=need), SENT).message)


def test_an_amount_that_includes_what_was_paid_is_not_called_the_most_that_the_requests_can_cost() -> None:
    """A batch that was paid twice costs more than that."""
    text = plain(waiting_notice(RUN, held(ReasonCode.OVER_APPROVED, sent=1), SENT).message)
    assert "This amount is what was paid so far, or may have been, and the most that the rest can cost." in text
    assert "the most that these requests can cost" not in text


@pytest.mark.parametrize("sent", [0, 1])
def test_limits_that_cannot_be_read_ask_for_a_right_file_first(sent: int) -> None:
    """The run goes on by itself then. Who cannot wait for an administrator may approve it."""
    message = waiting_notice(RUN, held(ReasonCode.BUDGETS_UNREAD, sent=sent), SENT).message
    text = plain(message)
    assert text.startswith("team/articles waits until config/budgets.json can be read: the reason budgets-unread.")
    assert "Repair config/budgets.json: the run goes on by itself once it is right." in text
    assert "    aws s3 cp budgets.json s3://bucket/config/budgets.json" in message.splitlines()
    assert "To let this run go on while the file is wrong, without a limit for the day:" in text
    assert text.index("budgets.json s3://") < text.index("echo approve |")
    assert "Without a right file, or an approval, by 2026-11-25 10:00 UTC the run is declined" in text
    assert "This amount" not in text


def test_with_another_reason_an_approval_is_needed_although_the_limits_cannot_be_read() -> None:
    """A right file alone would not let that run go on."""
    message = waiting_notice(RUN, held(ReasonCode.BUDGETS_UNREAD, ReasonCode.PAUSED), SENT).message
    assert "approve-1" in message
    assert "goes on by itself" not in plain(message)


def test_a_run_that_began_with_wrong_limits_says_that_a_right_file_does_not_open_its_gate() -> None:
    """Who repairs the file would wait for it in vain: its project and its limits were decided without the file."""
    text = plain(waiting_notice(RUN, held(ReasonCode.CONFIG), SENT).message)
    assert "A right file alone does not open this gate" in text
    assert "stop the run, and drop the same again: the message of the stopped run has the command." in text
    assert "A right file alone" not in plain(waiting_notice(RUN, held(ReasonCode.ASKED), SENT).message)


@pytest.mark.parametrize("need", ["61.40", None])
def test_an_approval_of_a_batch_above_a_whole_day_says_when_it_is_sent(need: str | None) -> None:
    """It has a day for itself: the project's other runs may wait for it."""
    text = plain(waiting_notice(RUN, held(ReasonCode.DAY, need=need, sent=1), SENT).message)
    assert "is then sent on a day on which nothing else of the project counts" in text
    assert "If usd_per_day is raised far enough, it is sent as soon as it fits, but needs this approval" in text
    assert ("up-to 61.40" if need else "no-limit") in text
    assert "the most that these requests can cost" not in text


@pytest.mark.parametrize(("hours", "is_last"), [(0, False), (65.9, False), (66, True)])
def test_the_last_message_before_a_run_is_declined_says_that_it_is(hours: float, *, is_last: bool) -> None:
    """Nobody waits for another reminder."""
    here = held(ReasonCode.ASKED)
    assert is_last_call(here.gate, NOW + timedelta(hours=hours)) is is_last
    assert (
        "the last message before that" in plain(waiting_notice(RUN, here, SENT, is_last=is_last).message)
    ) is is_last


def test_the_name_of_a_model_cannot_write_lines_of_the_message() -> None:
    """Whoever drops a file chooses it, and another person follows what the message says."""
    model = "m\n\nTo approve, type:\r\n\n  rm -rf /"
    here = held(ReasonCode.ASKED, models=(model, "other"))
    run, drop = RUN, replace(here.plan.drop, models=["other"])
    reasons = reasons_of(run, drop)
    gate = replace(here.gate, reasons=reasons)
    message = waiting_notice(run, here._replace(gate=gate), SENT).message
    assert not any(line.strip().startswith(("To approve", "rm")) for line in message.splitlines())
    assert "m??To approve, type:???  rm -rf /" in message


LINES = [ProbeLine(line, "m", 1_024, 9) for line in range(1, 51)]
PROBE = Probe(LINES, [Batch(1, 1, 0, requests=50)], "f00", Decimal("0.62"))
FORECAST = Forecast(
    Decimal("41.2"), Decimal("38.1"), Decimal("44.9"),
    {"m": ModelForecast(1_000, 50, Decimal("41.2"), Decimal("38.1"), Decimal("44.9"))},
)  # fmt: skip
ANSWERS = [
    Answer(line.line, Outcome.SUCCEEDED, input_usd=Decimal("0.004"), output_usd=Decimal("0.0025"))
    for line in LINES[:32]
] + [
    Answer(line.line, Outcome.ERRORED, "x", will_recur=True, input_usd=Decimal(0), output_usd=Decimal(0))
    for line in LINES[32:]
]


def probed(
    *codes: ReasonCode, answers: list[Answer] | None = ANSWERS, forecast: Forecast | None = FORECAST, sent: int = 50
) -> str:
    """Return the message of a run whose probe was sent: at the gate after it, or before it if nothing was sent."""
    here = held(*codes, requests=950, sent=sent, need="44.90" if forecast else "494.56")
    drop = replace(here.plan.drop, probe=PROBE)
    gate = replace(here.gate, after_probe=bool(sent), forecast=forecast)
    texts = ("content/default/run-1/errors.json",) if answers else ()
    shown = Shown.of(PROBE, min(sent, PROBE.requests), answers or [], texts) if sent else None
    place = here._replace(gate=gate, plan=Plan(drop, here.plan.batches))
    notice = waiting_notice(RUN, place, SENT, shown=shown)
    return f"{notice.subject}\n{notice.message}"


def test_after_the_probe_the_message_has_its_figures_and_the_forecast_instead_of_the_bound() -> None:
    """What was sent and paid, what the rest will cost, and what approving allows."""
    said = probed(ReasonCode.PROBE_FAILED, ReasonCode.HOLD_ABOVE)
    text = plain(said)
    assert "(1,000 requests, about $41.20; approve or stop)" in text
    assert "It has 1,000 requests, and will cost about $41.20 (between $38.10 and $44.90) in all." in text
    assert "50 requests were sent first, as a probe: 32 answered, 18 not; they cost $0.21." in text
    assert "may cost up to" not in text
    assert "Probe:         50 requests: 32 answered, 18 errored, $0.21" in said
    assert "m: 950 requests, about $41.20 (between $38.10 and $44.90)" in text
    assert "To let it run and cost up to $44.90 in all, or a larger amount that you name: conveyor approve" in text
    assert "echo 'up-to 44.90' | aws s3 cp - s3://bucket/control/run-1/approve-1" in text
    assert "are compared with the amount that you approve." in text
    assert "aws s3 cp s3://bucket/content/default/run-1/errors.json -" in text
    assert "What was sent before is delivered as usual." in text


def test_of_a_drop_that_is_sent_whole_as_its_probe_no_rest_is_promised() -> None:
    """A small drop above a limit is such a drop: nothing of it follows the probe."""
    here = held(ReasonCode.MAX_USD, requests=0)
    plan = Plan(replace(here.plan.drop, probe=PROBE), [])
    text = plain(waiting_notice(RUN, here._replace(plan=plan), SENT).message)
    assert "It has 50 requests" in text
    assert "the most that these requests can cost" in text
    assert "the rest follows" not in text


def test_a_gate_closed_for_failures_alone_is_opened_by_approve_alone() -> None:
    """No amount is in question."""
    for code in (ReasonCode.PROBE_FAILED, ReasonCode.CUT_OFF):
        text = plain(probed(code))
        assert "To let it go on: echo approve | aws" in text
        assert "the amount that you approve" not in text


def test_before_the_probe_the_message_says_what_an_approval_lets_go() -> None:
    """The probe, and the rest after it unless the probe shows a reason to wait."""
    text = plain(probed(ReasonCode.ASKED, forecast=None, sent=0))
    assert "It has 1,000 requests, and may cost up to $494.56. Nothing was sent, and nothing was charged." in text
    assert "Probe: 50 requests, up to $0.62" in text
    assert "First a probe of 50 requests is sent, which may cost up to $0.62." in text
    assert "The run waits again only if" in text


def test_while_the_probe_is_unanswered_the_message_says_that_waiting_is_enough() -> None:
    """And how to go on without it."""
    text = plain(probed(ReasonCode.UNANSWERED, answers=None, forecast=None))
    assert "50 requests were sent first, as a probe: no answer has come yet." in text
    assert "When the answers come, the rest is sent by itself" in text
    assert "To send the rest without waiting for the probe: echo approve | aws" in text
    assert "errors.json" not in text


def test_of_a_run_that_has_sent_more_than_its_probe_that_is_said() -> None:
    """A pause, days later."""
    assert "700 of 1,000 requests were sent before: what was sent goes on" in plain(probed(ReasonCode.PAUSED, sent=700))


def test_a_cost_that_is_not_known_is_not_called_nothing() -> None:
    """A result that could not be had may have been billed."""
    answers = [*ANSWERS[:-1], Answer(50, Outcome.STUCK)]
    text = plain(probed(ReasonCode.PROBE_FAILED, answers=answers))
    assert "their cost is not known." in text
    assert "32 answered, 17 errored, 1 stuck, cost not known" in text


def test_of_a_probe_that_is_sent_in_part_only_that_is_counted() -> None:
    """What is not sent, or not answered yet, is in no other count."""
    part = plain(probed(ReasonCode.PAUSED, answers=ANSWERS[:12], forecast=None, sent=20))
    assert "20 of the 50 requests of the probe were sent: 12 answered, 0 not, 8 without an answer yet;" in part
    assert "Probe: 50 requests: 12 answered, 38 without an answer yet," in part
    one = plain(probed(ReasonCode.PAUSED, answers=None, forecast=None, sent=1))
    assert "1 of the 50 requests of the probe was sent: no answer has come yet." in one


def test_a_probe_that_was_sent_is_not_announced() -> None:
    """A pause while it is under way."""
    here = held(ReasonCode.PAUSED, requests=950, sent=50)
    place = here._replace(plan=Plan(replace(here.plan.drop, probe=PROBE), here.plan.batches))
    text = plain(waiting_notice(RUN, place, SENT, shown=Shown.of(PROBE, 50, [])).message)
    assert "First a probe" not in text
    assert "When the probe is answered, the rest follows by itself." in text
    assert "if the forecast is above what the run may cost." in text


@pytest.mark.parametrize(("need", "is_above"), [("44.900001", False), ("61.40", True)])
def test_a_run_that_costs_more_than_was_forecast_does_not_repeat_the_forecast(need: str, *, is_above: bool) -> None:
    """Its batches have cost more than those of the probe."""
    here = held(ReasonCode.OVER_APPROVED, requests=950, sent=700, need=need)
    gate = replace(here.gate, after_probe=True, forecast=FORECAST)
    place = here._replace(gate=gate, plan=Plan(replace(here.plan.drop, probe=PROBE), here.plan.batches))
    notice = waiting_notice(RUN, place, SENT, shown=Shown.of(PROBE, 50, ANSWERS))
    text = plain(notice.message)
    assert ("It has 1,000 requests, and may cost up to $61.40 in all." in text) == is_above
    assert ("will cost about $41.20" in text) != is_above
    assert ("The run costs more than was forecast from its probe." in text) == is_above
    assert ("up to $61.40" in notice.subject) == is_above
