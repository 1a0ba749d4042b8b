"""One message of each kind, as `docs/messages.md` shows them; run as a module it writes them there."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec.structs import replace

from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Batch, Plan, Probe, ProbeLine, ValidatedDrop
from conveyor.file_types.conversion import conversion_of
from conveyor.file_types.detect import WrongFileType
from conveyor.file_types.text_formats import type_of_text
from conveyor.gates.gate import Held
from conveyor.gates.message import waiting_notice
from conveyor.gates.probe_message import Shown
from conveyor.ledger.budget_facts import DayReached
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.part import Answer, Tokens
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.forecast import Forecast, ModelForecast
from conveyor.money.usage import Usage
from conveyor.poll.decisions.decision import Risk, Undecided
from conveyor.poll.message import Trouble, at_risk_notice, started_notice, troubled_notice, undecided_notice
from conveyor.receipt.account import refused_receipt
from conveyor.receipt.receipt import Receipt
from conveyor.report.message import notice_of
from conveyor.spend.notice import reached_notice
from conveyor.spend.spent import Costs
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice, Sent
from tests.support.examples import DROP, NOW, RUN
from tests.support.receipts import GIVEN_UP, STOPPED, ended, invalid

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
ID, NAME = "20261124T081502Z-5c1e7a90b3d4", "tickets-2026-11"
AT = datetime(2026, 11, 24, 8, 15, 2, tzinfo=UTC)
HAIKU = "claude-haiku-4-5"
CONSOLE = Console.of(f"arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:{ID}")
SENT = Sent(AT + timedelta(minutes=9), CONSOLE)


def run_of(name: str = NAME, suffix: str = ".jsonl") -> Run:
    """Return a run of the project support."""
    drop = replace(DROP, bucket="conveyor-bucket-7d1f04b2c9a3", key=f"inbox/support/{name}{suffix}", last_modified=AT)
    return replace(RUN, run=ID, name=f"support/{name}", project="support", drop=drop)


def with_costs(receipt: Receipt, cost: str = "58.93") -> Receipt:
    """Return a receipt with a cost, a forecast and a bound."""
    tokens = {HAIKU: Tokens(Usage(21_734_567, 4_189_012), Decimal(cost))} if Decimal(cost) else {}
    most = Decimal(212)
    estimate = Estimate(most, 9, 9, {HAIKU: ModelEstimate(40_000, 9, 9, most)}, {})
    return replace(
        receipt, tokens=tokens, cost_usd=Decimal(cost), at_most_usd=most, estimate=estimate,
        forecast_usd=Decimal("61.40"), forecast=forecast(Decimal("61.40")),
    )  # fmt: skip


def forecast(usd: Decimal) -> Forecast:
    """Return a forecast."""
    low, high = usd * 92 / 100, usd * 108 / 100
    return Forecast(usd, low, high, {HAIKU: ModelForecast(39_990, 10, usd, low, high)})


def held(reason: Reason, *, is_about_money: bool) -> Notice:
    """Return the message of a run that waits after its sample."""
    run, usd = run_of("contracts-q4"), Decimal("164.20")
    expected = forecast(usd)
    gate = Gate(
        "w", AT, open=False, reasons=[reason], need_usd=expected.high_usd, until=AT + timedelta(hours=72),
        after_probe=True, forecast=expected,
    )  # fmt: skip
    lines = [ProbeLine(line, HAIKU, 9, 9) for line in range(1, 11)]
    probe = Probe(lines, [Batch(1, 1, 0, requests=10)], "f00", Decimal("0.62"))
    estimate = Estimate(Decimal(412), 9, 9, {HAIKU: ModelEstimate(40_000, 9, 9, Decimal(412))}, {})
    drop = ValidatedDrop(40_000, "f00", probe=probe, estimate=estimate)
    fails = not is_about_money
    outcomes = [Outcome.ERRORED if fails and line.line > 5 else Outcome.SUCCEEDED for line in lines]
    answers = [
        Answer(line.line, outcome, "invalid_request_error" if outcome is Outcome.ERRORED else "",
               input_usd=Decimal("0.002"), output_usd=Decimal("0.002"))
        for line, outcome in zip(lines, outcomes, strict=True)
    ]  # fmt: skip
    keys = (f"content/support/{ID}/probe/batches/1/errors.json",) if fails else ()
    place = Held(2, gate, Plan(drop, [Batch(1, 1, 0, requests=39_990)]), sent=10)
    return waiting_notice(run, place, SENT, shown=Shown.of(probe, 10, answers, keys))


def mails() -> dict[str, Notice]:
    """Return one message of each kind, by its title in the page."""
    run = run_of()
    errors = {"invalid_request_error": 450, "overloaded_error": 121, "api_error": 17}
    stops = {HAIKU: {"end_turn": 38_208, "max_tokens": 1_204}}
    ceiling = Reason(ReasonCode.HOLD_ABOVE, "its forecast of $164.20 is above $100.00 (HoldAboveUsd)")
    failed = Reason(ReasonCode.PROBE_FAILED, f"5 of 10 sample lines of {HAIKU} failed: invalid_request_error")
    table = type_of_text(b"ticket,text\n4711,My parcel is late\n4712,Thank you\n")
    assert table
    why, made = WrongFileType(table), conversion_of(table, "inbox/support/tickets.csv", 0)
    wrong = Refusal("w", AT, why.code, str(why), conversion=made)
    risks = [Risk(f"msgbatch_{end}", 91_500, AT, AT + timedelta(hours=23)) for end in ("01Ab", "01Cd")]
    reached = DayReached("w", AT, "support", "2026-11-24", 80, Decimal(600), Decimal("481.20"), AT.replace(hour=23))
    estimate = Estimate(Decimal(212), 9, 9, {}, {})
    plan = Plan(ValidatedDrop(40_000, "f00", estimate=estimate), [Batch(1, 1, 0, requests=40_000)])
    lost = {"stuck": 14_996, "api_error": 124}
    receipts = {
        "All answered": with_costs(ended(40_000, run=run), "59.80"),
        "Some failed": replace(with_costs(ended(39_412, errors, retryable=138, run=run)), stop_reasons=stops),
        "Nothing succeeded": with_costs(ended(0, {"not_found_error": 300}, run=run_of("eval-models")), "0"),
        "Stopped": with_costs(
            ended(24_118, {"canceled": 15_882}, outcomes={"canceled": 15_882}, retryable=15_882, run=run,
                  refusal=STOPPED), "36.06"),
        "Refused: a wrong file": refused_receipt(run_of("tickets", ".csv"), wrong, 0),
        "Refused: invalid lines": invalid(1_880, run=run_of("invoices")),
        "Stuck": with_costs(
            ended(24_880, lost, outcomes={"stuck": 14_996, "errored": 124}, stuck=GIVEN_UP, run=run), "37.20"),
    }  # fmt: skip
    ends = {title: notice_of(moved(receipt), CONSOLE) for title, receipt in receipts.items()}
    return {
        "Started": started_notice(run, plan, SENT),
        "Held: the price": held(ceiling, is_about_money=True),
        "Held: the sample failed": held(failed, is_about_money=False),
        "At risk": at_risk_notice(run_of("catalog-2026-11"), risks, timedelta(hours=24), SENT, has_rounds=True),
        "Trouble": troubled_notice(run, Trouble("HTTP 401", AT), "conveyor/api-key", SENT),
        "Undecided": undecided_notice(
            run, Trouble("ReadTimeout", AT), Undecided(1, 1, ("msgbatch_01Ab",)), "conveyor/api-key", SENT
        ),
        "Budget": reached_notice(run, reached, Costs(41, Decimal("6212.30"), is_lower_bound=False), SENT),
        **ends,
    }


def moved(receipt: Receipt) -> Receipt:
    """Return a receipt whose run began at the time in its id."""
    of_batches = [replace(batch, split_at=AT + (batch.split_at - NOW)) for batch in receipt.batches]
    ended_at = AT + (receipt.ended_at - NOW) if receipt.ended_at and receipt.batches else AT
    return replace(receipt, received_at=AT, batches=of_batches, ended_at=ended_at)


def written(page: str) -> str:
    """Return the page with its examples as the code words them now."""
    kinds = mails()
    for title, notice in kinds.items():
        text = f"```text\nSubject: {notice.subject}\n\n{notice.message}\n```"
        page = _replaced(page, f"### {title}\n", text)
    body = msgspec.json.format(msgspec.json.encode(kinds["Some failed"].data), indent=2).decode()
    return _replaced(page, "### The body of that message\n", f"```json\n{body}\n```")


def titles(page: str) -> Iterable[str]:
    """Return the titles of the examples in a page."""
    return re.findall(r"^### (.+)\n\n```text$", page, re.MULTILINE)


def _replaced(page: str, heading: str, block: str) -> str:
    before, found, after = page.partition(f"{heading}\n")
    if not found:
        raise LookupError(f"no {heading.strip()} in the page")
    _, end, rest = after.partition("\n```\n")
    return f"{before}{found}{block}\n{rest}" if end else page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
