"""What a person writes to open a gate: nothing is read into it, and the words of the message always suffice."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conveyor.gates.approval import Approval, Insufficient, amount_of, judge, read_approval, words_that_open
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
NO_MONEY = [
    ReasonCode.PAUSED, ReasonCode.PROBE_FAILED, ReasonCode.CUT_OFF, ReasonCode.UNANSWERED, ReasonCode.PROBE_STUCK,
    ReasonCode.ACCOUNT, ReasonCode.BUDGETS_UNREAD,
]  # fmt: skip
MONEY = set(ReasonCode) - set(NO_MONEY)
WORDS = ["up-to", "no-limit", "any-model", "approve", "UP-TO", "no", "limit", "61.40", "$5", "1e9", "inf", "-1", "0"]
SENTENCES = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=4).map(" ".join)
AMOUNTS = st.decimals(0, 10**18, allow_nan=False, allow_infinity=False)
APPROVALS = st.one_of(
    st.builds(Approval, st.none() | AMOUNTS, st.just(value=False), st.booleans()),
    st.builds(Approval, st.none(), st.just(value=True), st.booleans()),
)
GATES = st.builds(
    lambda codes, need: Gate("w", NOW, open=False, reasons=[Reason(code, "why") for code in codes], need_usd=need),
    st.lists(st.sampled_from(ReasonCode), min_size=1, max_size=3),
    st.none() | AMOUNTS,
)


def gate(*codes: ReasonCode, need: str | None = "61.40") -> Gate:
    """Return a closed gate of a run that may cost so much."""
    return Gate(
        "w", NOW, open=False, reasons=[Reason(code, "why") for code in codes], need_usd=Decimal(need) if need else None
    )


@pytest.mark.parametrize(
    ("text", "approval"),
    [
        ("up-to 61.40\n", Approval(Decimal("61.40"))),
        ("up-to 61.40\r\n", Approval(Decimal("61.40"))),
        ("\ufeffUP-TO $61\r\n", Approval(Decimal(61))),
        ("up-to\t0.000001", Approval(Decimal("0.000001"))),
        ("up-to 12345678901234567890", Approval(Decimal(12345678901234567890))),
        ("any-model up-to 5", Approval(Decimal(5), takes_any_model=True)),
        ("no-limit", Approval(has_no_limit=True)),
        ("no-limit any-model", Approval(has_no_limit=True, takes_any_model=True)),
        ("  Approve  ", Approval()),
    ],
)
def test_an_approval_is_read_as_a_shell_or_an_editor_writes_it(text: str, approval: Approval) -> None:
    """With any line end, a byte order mark, or capitals."""
    assert read_approval(text) == approval


PASTED = "sk-ant-api03-xyz"


@pytest.mark.parametrize(
    "amount",
    [
        "inf", "-inf", "nan", "infinity", "-5", "+5", "1e9", "5.", ".5", "5.1234567", "0x10", "1_000", "5$",
        "$", "$$5", "5usd", "１２３", "٦١", "61·40", "5e", "1/2", "123456789012345678901",  # noqa: RUF001
    ],
)  # fmt: skip
def test_what_is_no_plain_amount_opens_nothing(amount: str) -> None:
    """A person is asked again: a guess might be a thousand times as much."""
    named = f'"{amount}"' if set(amount) <= set("0123456789.$+-") and len(amount) <= 20 else 'the word after "up-to"'
    assert read_approval(f"up-to {amount}") == Insufficient(f"{named} is no amount: write US dollars as 1234.50")


@pytest.mark.parametrize("text", ["up-to {}", "{}", "approve {}", "{} any-model", "up-to 5 {}", "up-to {},5"])
def test_a_key_that_was_pasted_is_not_quoted(text: str) -> None:
    """The reason goes into a message, and into the state of the execution."""
    refused = read_approval(text.format(PASTED))
    assert isinstance(refused, Insufficient)
    assert PASTED not in refused.reason


@pytest.mark.parametrize("amount", ["61,40", "1,234.50", "1.234,50", "$1,000", ",5", "5,"])
def test_a_comma_is_named(amount: str) -> None:
    """It separates thousands in one country and cents in another."""
    assert read_approval(f"up-to {amount}") == Insufficient(f'"{amount}" has a comma: write US dollars as 1234.50')


@pytest.mark.parametrize(
    "text", ["", "yes", "up-to", "61.40", "up to 61.40", "up-to 61.40 USD", "any-model", "approve no-limit", "no limit"]
)
def test_other_words_open_nothing(text: str) -> None:
    """The answer has the words that do."""
    assert read_approval(text) == Insufficient('it must say "up-to <US dollars>", "no-limit" or "approve"')


def test_a_long_amount_is_cut_in_the_answer() -> None:
    """It goes into a message."""
    read = read_approval(f"up-to {'9' * 900}")
    assert isinstance(read, Insufficient)
    assert len(read.reason) < 120


@given(st.text() | SENTENCES)
@example("up-to 6\ufeff1")
@example("up-to 9" + "9" * 100)
@example("no-limit no-limit")
@example("up-to up-to 5")
def test_reading_never_raises_and_an_approval_never_allows_more_than_its_words(text: str) -> None:
    """Whatever an object under `control/` holds."""
    words = text.replace("\ufeff", "").lower().split()
    match read_approval(text):
        case Insufficient(reason):
            assert reason
        case Approval(up_to, has_no_limit, takes_any_model):
            assert takes_any_model == ("any-model" in words)
            assert has_no_limit == ("no-limit" in words)
            assert (up_to is not None) == ("up-to" in words)
            if up_to is not None:
                assert up_to in {Decimal(word.removeprefix("$")) for word in words if is_amount(word)}


def is_amount(word: str) -> bool:
    """Tell whether a word is made of ASCII digits, with a point and a dollar sign at most."""
    return word.isascii() and word.removeprefix("$").replace(".", "", 1).isdigit()


@given(GATES)
def test_the_words_of_the_message_always_open_the_gate(closed: Gate) -> None:
    """A person types them as they are, and is not told afterwards that they do not suffice."""
    approval = read_approval(words_that_open(closed))
    assert isinstance(approval, Approval)
    verdict = judge(approval, closed)
    assert isinstance(verdict, Approval)
    assert verdict.up_to is None or closed.need_usd is None or verdict.up_to >= closed.need_usd


@given(GATES, APPROVALS)
def test_an_approval_opens_nothing_that_it_does_not_allow(closed: Gate, approval: Approval) -> None:
    """Neither more money than it names, nor money without an end, nor another model."""
    codes = {reason.code for reason in closed.reasons}
    verdict = judge(approval, closed)
    if not isinstance(verdict, Approval):
        return
    assert approval.takes_any_model or ReasonCode.MODEL not in codes
    if approval.up_to is not None:
        assert closed.need_usd is not None
        assert verdict.up_to == approval.up_to >= closed.need_usd
    elif codes & MONEY and not approval.has_no_limit:
        assert verdict.up_to == closed.need_usd is not None


def test_an_amount_must_cover_the_whole_run() -> None:
    """What is left after a smaller one would be a run that is sent in part."""
    closed = gate(ReasonCode.ASKED)
    assert judge(Approval(Decimal("61.40")), closed) == Approval(Decimal("61.40"))
    assert judge(Approval(Decimal("61.39")), closed) == Insufficient(
        "it allows $61.39, and it must allow at least $61.40"
    )


def test_approve_alone_allows_what_the_message_named() -> None:
    """And nothing more: its amount holds for later calls."""
    assert judge(Approval(), gate(ReasonCode.HOLD_ABOVE)) == Approval(Decimal("61.40"))
    assert judge(Approval(), gate(ReasonCode.PAUSED)) == Approval(), "a pause is not about money"


def test_a_run_without_a_bound_needs_no_limit_where_the_gate_is_about_money() -> None:
    """No amount can be kept to; where the gate is not about money, none is needed."""
    closed = gate(ReasonCode.CEILING, need=None)
    for approval in (Approval(), Approval(Decimal(10**9))):
        assert isinstance(judge(approval, closed), Insufficient)
    assert judge(Approval(has_no_limit=True), closed) == Approval(has_no_limit=True)
    assert judge(Approval(), gate(ReasonCode.PAUSED, need=None)) == Approval()
    assert isinstance(judge(Approval(Decimal(5)), gate(ReasonCode.PAUSED, need=None)), Insufficient)


@pytest.mark.parametrize("code", NO_MONEY)
@pytest.mark.parametrize("need", ["61.40", None])
def test_approve_alone_opens_a_gate_that_is_not_about_money(code: ReasonCode, need: str | None) -> None:
    """A pause, and a probe that failed, was cut off, stuck, or not answered: no amount is asked for, and none given."""
    closed = gate(code, need=need)
    assert words_that_open(closed) == "approve"
    assert judge(Approval(), closed) == Approval()
    both = gate(code, ReasonCode.CEILING, need=need)
    assert words_that_open(both) == ("up-to 61.40" if need else "no-limit")


def test_a_model_needs_a_word_of_its_own() -> None:
    """An amount does not allow it."""
    closed = gate(ReasonCode.MODEL)
    assert isinstance(judge(Approval(has_no_limit=True), closed), Insufficient)
    assert judge(Approval(takes_any_model=True), closed) == Approval(Decimal("61.40"), takes_any_model=True)
    assert words_that_open(closed) == "up-to 61.40 any-model"
    assert words_that_open(gate(ReasonCode.MODEL, need=None)) == "no-limit any-model"


def test_an_amount_is_rounded_up() -> None:
    """An amount that is too small by less than a cent would open nothing."""
    assert amount_of(Decimal("0.000001")) == "0.01"
    assert words_that_open(gate(ReasonCode.ASKED, need="61.400001")) == "up-to 61.41"
