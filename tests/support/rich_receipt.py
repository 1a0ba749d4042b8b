"""The receipt of a run in which everything has happened: a sample, rounds, failures, answers that were cut off."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from conveyor.answers.lengths import Lengths, count_length
from conveyor.ledger.failure_counts import ErrorKind, Example
from conveyor.ledger.gate_facts import Ending, Reason, ReasonCode
from conveyor.ledger.part import Tokens
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor.money.forecast import Forecast, ModelForecast
from conveyor.money.usage import Usage
from conveyor.receipt.batch_account import BatchAccount, ProbeAccount, RoundAccount
from conveyor.receipt.gate_account import GateAccount
from conveyor.receipt.money import Money
from conveyor.receipt.receipt import Receipt
from conveyor.receipt.settings_account import SettingAccount
from tests.support.examples import NOW
from tests.support.receipts import ended

HAIKU, SONNET = "claude-haiku-4-5", "claude-sonnet-5"
EMPTY = "messages.#.content.#.text: text content blocks must be non-empty"
DEPRECATED = "`temperature` is deprecated for this model."


def at(minutes: float) -> datetime:
    """Return a moment, in minutes after the upload."""
    return NOW + timedelta(minutes=minutes)


def batch(number: int, requests: int, failures: int, again: int, *minutes: float) -> BatchAccount:
    """Return the account of a batch. `minutes`: when it was sent, had ended, and was written."""
    sent, end, written = map(at, minutes)
    return BatchAccount(
        number=number,
        id=f"msgbatch_01Pq8mT2nXc{number}",
        requests=requests,
        adopted=False,
        created_at=sent,
        ended_at=end,
        split_at=written,
        foreign=0,
        repeated=0,
        duplicates=[],
        files_deleted=False,
        results=requests - failures - again,
        failures=failures,
        sent_again=again,
    )


def lengths(answers: int, middle: int, limit: int, cut: int) -> Lengths:
    """Return answers whose lengths are spread around a middle, of which some are cut off at a limit."""
    found = Lengths()
    for tokens in range(8, limit, 16):
        weight = (tokens / middle) ** 2 * 2.718 ** (-2 * tokens / middle)
        for _ in range(int(answers * weight * 20 / middle)):
            count_length(found, tokens, is_cut_off=False)
    for _ in range(cut):
        count_length(found, limit, is_cut_off=True)
    return found


def rich() -> Receipt:
    """Return the receipt."""
    receipt = ended(39_412, {"invalid_request_error": 450, "overloaded_error": 121, "api_error": 17}, retryable=138)
    rounds = [
        batch(3, 214, 12, 0, 73, 87, 88),
        batch(1, 388, 17, 0, 91, 109, 110),
        batch(2, 1946, 109, 0, 167, 223, 225),
    ]
    forecasts = {
        HAIKU: ModelForecast(32_000, 5, Decimal("43.70"), Decimal("41.2"), Decimal("46.1")),
        SONNET: ModelForecast(8_000, 5, Decimal("17.70"), Decimal("15.2"), Decimal("20.1")),
    }
    usage = Usage(1_234_567, 89_012)
    costs = [
        {"input": "22.23", "output": "17.19"},
        {"input": "3.16", "output": "13.60", "cache_write_1h": "1.94", "cache_read": "0.81"},
    ]
    of = [{kind: Decimal(usd) for kind, usd in each.items()} for each in costs]
    return replace(
        receipt,
        ended_at=at(226),
        batches=[
            batch(1, 14_996, 168, 388, 7, 76, 77),
            batch(2, 14_996, 173, 1946, 27, 152, 153),
            batch(3, 9_998, 109, 214, 27, 57, 58),
        ],
        planned_batches=3,
        probe=ProbeAccount(
            10, {"succeeded": 10}, Decimal("0.01"), Decimal("0.2"), [batch(1, 10, 0, 0, 0.1, 6.5, 6.6)], at(6.6)
        ),
        rounds=[RoundAccount(1, 2548, {"succeeded": 2410, "errored": 138}, Decimal(3), rounds, at(70), at(225))],
        sent_again=2548,
        stop_reasons={
            HAIKU: {"end_turn": 30_450, "max_tokens": 1061, "refusal": 37},
            SONNET: {"end_turn": 7_721, "max_tokens": 143},
        },
        lengths={HAIKU: lengths(30_000, 200, 1024, 1061), SONNET: lengths(7_700, 340, 2047, 143)},
        tokens={HAIKU: Tokens(usage, Decimal("39.42"), of[0]), SONNET: Tokens(usage, Decimal("19.51"), of[1])},
        cost_usd=Decimal("58.93"),
        money=Money(
            [],
            Decimal("1.50"),
            {
                "input": Decimal("25.39"),
                "cache_write_1h": Decimal("1.94"),
                "cache_read": Decimal("0.81"),
                "output": Decimal("30.79"),
            },
        ),
        at_most_usd=Decimal("212.00"),
        estimate=Estimate(Decimal("212.00"), 9, 9, {HAIKU: ModelEstimate(32_000, 9, 9, Decimal("115.9"))}),
        forecast_usd=Decimal("61.40"),
        forecast=Forecast(Decimal("61.40"), Decimal("56.90"), Decimal("66.10"), forecasts),
        gates=[
            GateAccount(
                1, at(0.1), [Reason(ReasonCode.HOLD_ABOVE, "why")], Decimal(212), Ending.APPROVED, at(5), Decimal(100)
            )
        ],
        errors={
            "invalid_request_error": ErrorKind(
                450,
                {EMPTY: 412, DEPRECATED: 38},
                {
                    EMPTY: [
                        Example(1204, "ticket-481209", EMPTY.replace("#", "0")),
                        Example(9871, '"><script>alert(document.domain)</script>', EMPTY),
                        Example(
                            33_015, "ticket-513020", "messages.1.content.0.text: text content blocks must be non-empty"
                        ),
                    ],
                    DEPRECATED: [
                        Example(512, "ticket-480517", DEPRECATED),
                        Example(20_048, "ticket-500053\u202efdp.exe", DEPRECATED),
                        Example(39_101, "Kündigung / 解約 / إلغاء", DEPRECATED),
                    ],
                },
            ),
            "overloaded_error": ErrorKind(
                121, {"Overloaded": 121}, {"Overloaded": [Example(17_330, "ticket-497335", "Overloaded")]}
            ),
            "api_error": ErrorKind(17, {}, {}),
        },
        settings=[
            SettingAccount("RetryRounds", "1", "retry-rounds"),
            SettingAccount("HoldAboveUsd", "100"),
            SettingAccount("BatchApi", "messages"),
            SettingAccount("DefaultMaxTokens", "4096"),
        ],
    )
