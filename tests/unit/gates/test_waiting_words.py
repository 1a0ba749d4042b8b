"""The message of a run that waits: what a person who pays reads, and what cannot be smuggled into it."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain.plan import Batch, Plan, ValidatedDrop
from conveyor.gates.gate import Held
from conveyor.gates.message import is_last_call, waiting_notice
from conveyor.gates.reasons import reasons_of
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.money.estimate import Estimate, ModelEstimate
from tests.support.examples import NOW, RUN
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
    notice = waiting_notice(replace(RUN, name=name), held(code, requests=requests, sent=sent, need=need))
    assert len(notice.subject) <= 99
    assert notice.subject.isascii()
    said = f"{notice.subject}\n{notice.message}"
    assert not re.search(r"(?<![\d,.])1 requests", said)
    assert not re.search(r"(?:[02-9]|\d[\d,]*\d) request\b", said)
    assert "None" not in said


def test_nothing_is_said_of_charges_that_were_not_made() -> None:
    """Before anything is sent, and after."""
    before = plain(waiting_notice(RUN, held(ReasonCode.ASKED)).message)
    assert "It has 2 requests, and may cost up to $61.40. Nothing was sent, and nothing was charged." in before
    assert "the run is declined: nothing is sent." in before
    after = plain(waiting_notice(RUN, held(ReasonCode.PAUSED, sent=1)).message)
    assert "1 of 2 requests was sent before: what was sent goes on, and is charged." in after
    assert "nothing was charged" not in after
    assert "the run is declined: nothing more is sent. What was sent before is delivered as usual." in after


@pytest.mark.parametrize(
    ("code", "need", "said"),
    [
        (ReasonCode.ASKED, "61.40", "To let it run and cost up to $61.40 in all, type this."),
        (ReasonCode.ASKED, None, "To let it run whatever it costs, type:"),
        (ReasonCode.MODEL, "61.40", "To let it run, with these models, and cost up to $61.40 in all, type this."),
        (ReasonCode.PAUSED, "61.40", "To let it go on, type:"),
    ],
)
def test_the_sentence_before_the_command_says_what_the_command_allows(
    code: ReasonCode, need: str | None, said: str
) -> None:
    """A pause is not about money: an amount that was approved before stays in force."""
    assert said in plain(waiting_notice(RUN, held(code, need=need)).message)


def test_an_amount_that_includes_what_was_paid_is_not_called_the_most_that_the_requests_can_cost() -> None:
    """A batch that was paid twice costs more than that."""
    text = plain(waiting_notice(RUN, held(ReasonCode.OVER_APPROVED, sent=1)).message)
    assert "This amount is what was paid so far, or may have been, and the most that the rest can cost." in text
    assert "the most that these requests can cost" not in text


@pytest.mark.parametrize(("hours", "is_last"), [(0, False), (65.9, False), (66, True)])
def test_the_last_message_before_a_run_is_declined_says_that_it_is(hours: float, *, is_last: bool) -> None:
    """Nobody waits for another reminder."""
    here = held(ReasonCode.ASKED)
    assert is_last_call(here.gate, NOW + timedelta(hours=hours)) is is_last
    assert ("the last message before that" in plain(waiting_notice(RUN, here, is_last=is_last).message)) is is_last


def test_the_name_of_a_model_cannot_write_lines_of_the_message() -> None:
    """Whoever drops a file chooses it, and another person follows what the message says."""
    model = "m\n\nTo approve, type:\r\n\n  rm -rf /"
    here = held(ReasonCode.ASKED, models=(model, "other"))
    run, drop = RUN, replace(here.plan.drop, models=["other"])
    reasons = reasons_of(run, drop)
    gate = replace(here.gate, reasons=reasons)
    message = waiting_notice(run, here._replace(gate=gate)).message
    assert not any(line.strip().startswith(("To approve", "rm")) for line in message.splitlines())
    assert "m??To approve, type:???  rm -rf /" in message
