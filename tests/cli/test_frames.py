"""A run at one moment as a frame: for each phase, from facts alone, without a clock or a terminal."""

import shlex
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.ledger.budget_facts import DayFull
from conveyor.ledger.round_facts import Round
from conveyor.ledger.run_facts import Refusal, Validation
from conveyor.money.estimate import Estimate, ModelEstimate
from conveyor_cli.frames.eta import eta_of
from conveyor_cli.frames.frame import broken
from conveyor_cli.frames.grid import Cell, worst_of
from conveyor_cli.frames.snapshot import as_json, snapshot_of
from conveyor_cli.runs.facts import Facts, Refused
from tests.support.frames import (
    AWAY,
    BUSY,
    FIRST,
    FOOT,
    ONE_MINUTE,
    TWELVE,
    drawn,
    place,
)
from tests.support.watched import CLOSED, DONE, NOW, OPEN, SENT, SPLITTING, facts_of, plan_of

MANY = {str(number): DONE for number in range(1, 2001)} | {str(number): SENT for number in range(2001, 2041)}


def test_batches_under_way() -> None:
    """What runs, what comes next, each batch, and the figures."""
    assert drawn(facts_of(plan_of(12), TWELVE)) == [
        "► 3 of 12 batches are with the provider",
        "  The provider is asked every 5 min. About 2 h 11 min to go, by the 4 batches",
        "  that have ended.",
        "",
        "  ◆ ◆ ◆ 1 ▼ ► ► ► · · · ·",
        "  · 4 to send  ► 3 with provider  ▼ 1 splitting  1 1 in a round  ◆ 3 some failed",
        "",
        "  requests   1,152,000",
        "  answered     383,760   33.3% of all",
        "  failed           190   50 more go again in a round",
        "  cut off        2,640   0.7% of the answers reached max_tokens",
        "  cost         $470.00   forecast $1,410, approved up to $1,500.00",
        "  oldest    1 h 13 min   with the provider; it expires in 22 h 47 min",
        *FOOT,
    ]


def test_a_wide_terminal_has_the_figures_beside_the_grid() -> None:
    """And a line for each batch under way, with its id at the provider, the oldest first."""
    lines = drawn(facts_of(plan_of(12), TWELVE), place(120))
    assert lines[3] == "  ◆ ◆ ◆ 1 ▼ ► ► ► · · · ·                         requests   1,152,000"
    assert "oldest    1 h 13 min   with the provider; it expires in 22 h 47 min" in lines[8]
    assert lines[10:12] == [
        "  Batch  Requests  State          Since       Expires in   Id at the provider",
        "  8        96,000  with provider  1 h 13 min  22 h 47 min  msgbatch_8",
    ]
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("facts", "first", "second"),
    [
        (facts_of(None), "► Received", "Its lines are checked next, within a minute."),
        (
            facts_of(None, None, "validation.json", validation=Validation("w", NOW - ONE_MINUTE, NOW)),
            "► Its lines are being checked, for 1 min",
            "Then it is known how many requests there are",
        ),
        (
            facts_of(None, None, "refused.json", refusal=Refusal("w", NOW, "no-requests", "the file has no requests")),
            "✗ Refused: the file has no requests",
            "Its receipt is written next.",
        ),
        (
            facts_of(plan_of(4, 10_000, probed=10), {"probe/1": SENT}),
            "► A sample of 10 lines is with the provider",
            "It is out for 1 h 6 min. The rest follows its answer.",
        ),
        (
            facts_of(plan_of(4)),
            "► Waiting to be sent, for 2 h",
            "It is sent once the provider's queue has room",
        ),
        (
            facts_of(plan_of(4), {"1": ("attempt-1.json", "refused-1.json")}, refused=Refused(FIRST, BUSY, BUSY.at)),
            "► Waiting for room at the provider, for 14 min",
            "Asked again in 2 min",
        ),
        (
            facts_of(
                plan_of(4),
                None,
                "budget-2026-11-24.json",
                full_day=DayFull("w", NOW, "shop", Decimal(600), Decimal(590), Decimal(40), NOW + 90 * ONE_MINUTE),
            ),
            "► Waiting for budget: $590.00 of $600.00 a day is taken by shop",
            "The next batch may cost $40.00; the day ends in 1 h 30 min.",
        ),
        (
            facts_of(plan_of(1), {"1": SENT}),
            "► Its batch is with the provider",
            "The provider is asked every 5 min. No batch has ended yet.",
        ),
        (
            facts_of(plan_of(2), {"1": DONE, "2": SPLITTING}),
            "► Writing results, 1 of 2 batches done",
            "What was sent has ended at the provider.",
        ),
        (
            facts_of(
                plan_of(2, rounds=(2,)),
                {"1": (*DONE, "again.json"), "2": DONE, "round-1/1": DONE, "round-1/2": SENT},
                "round-1.json",
                rounds={1: Round("w", NOW, NOW, 1_946, [1])},
            ),
            "► Round 1: 1,946 failed lines are sent again",
            "1 of 2 batches ended. The provider is asked every 5 min.",
        ),
        (
            facts_of(
                plan_of(1),
                {"1": (*DONE, "again.json")},
                "round-1.json",
                rounds={1: Round("w", NOW, NOW, 2, [1])},
            ),
            "► Round 1: 2 failed lines are sent again",
            "Its batches are being planned. The provider is asked every 5 min.",
        ),
        (
            facts_of(
                plan_of(1),
                {"1": (*DONE, "again.json")},
                "round-1.json",
                rounds={1: Round("w", NOW, NOW + 9 * ONE_MINUTE, 1, [1])},
            ),
            "► Round 1: 1 failed line is sent again in 9 min",
            "",
        ),
        (
            facts_of(
                plan_of(2),
                {"1": SENT},
                "refused.json",
                refusal=Refusal("w", NOW, "stopped", "the run was stopped by a person"),
            ),
            "► Ending: the run was stopped by a person",
            "What was sent comes to its end.",
        ),
        (facts_of(plan_of(2), {"1": DONE, "2": DONE}), "► Writing the files", "All batches have ended."),
    ],
    ids=lambda value: value[2:30] if isinstance(value, str) else "",
)
def test_each_phase_says_what_is_waited_for(facts: Facts, first: str, second: str) -> None:
    """On its first two lines."""
    lines = drawn(facts)
    assert lines[0] == first
    assert lines[1].strip().startswith(second)
    assert max(map(len, lines)) <= 80
    assert lines[-2:] == FOOT[1:]


def test_a_hold_has_its_price_in_the_command() -> None:
    """So that nobody approves a number that they did not see."""
    assert drawn(facts_of(plan_of(4, 10_000), gate=CLOSED)) == [
        "‖ Held: it may cost $164.20, and its project may spend $100.00 on one drop",
        "  Nothing more is sent until you approve. Declined by itself in 2 d 23 h.",
        "  It may cost up to $177.90.",
        "",
        "  requests  40,000",
        "  cost       $0.00   at most $2,000.00",
        "",
        "  Let it go on",
        "    conveyor approve catalog-2026-11 --up-to 177.90",
        "  End the run",
        "    conveyor stop catalog-2026-11",
        *FOOT,
    ]


def test_a_hold_names_the_cost_of_each_model() -> None:
    """One of them may be what makes a run dear. The names are those of the drop, so they cannot move the cursor."""
    half = ModelEstimate(20_000, 9, 9, Decimal(40))
    estimate = Estimate(Decimal(164), 9, 9, {"haiku\x1b[2J": half, "opus": replace(half, at_most_usd=Decimal(124))}, {})
    plan = plan_of(4, 10_000)
    facts = facts_of(replace(plan, drop=replace(plan.drop, estimate=estimate)), gate=CLOSED)
    lines = drawn(facts)
    assert "  opus: 20,000 requests, at most $124.00" in lines
    assert any(line.startswith("  haiku") and line.endswith("20,000 requests, at most $40.00") for line in lines)
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("conveyor stop a", ["conveyor stop a"]),
        ("conveyor approve name-of-a-run --up-to 12.00", ["conveyor approve name-of-a-run \\", "  --up-to 12.00"]),
        ("conveyor approve 'a --long name' --up-to 1", ["conveyor approve 'a --long name' \\", "  --up-to 1"]),
        ("conveyor stop 'a name --that is long and quoted'", ["conveyor stop 'a name --that is long and quoted'"]),
    ],
)
def test_a_command_that_is_too_long_is_broken_before_an_option(command: str, lines: list[str]) -> None:
    """A frame shows no more than its width, and half a command would do something else."""
    assert broken(command, 36) == lines
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(command)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("height", [24, 16, 50])
def test_three_thousand_batches_fit(width: int, height: int) -> None:
    """A cell stands for several batches, and shows the worst of them; no line is too long or too many."""
    lines = drawn(facts_of(plan_of(3000), MANY), place(width, height))
    assert len(lines) < height
    assert max(map(len, lines)) <= width
    if height >= 24:
        assert any("each cell is" in line for line in lines)
        assert any("· 960 to send  ► 40 with provider" in line for line in lines)
    assert any("answered  191,880,000" in line for line in lines), "figures are left where there is no room for more"


def test_a_cell_shows_the_worst_of_its_batches() -> None:
    """A batch without results is never hidden behind those that are done."""
    cells = [Cell.DONE] * 99 + [Cell.LOST] + [Cell.SENT, Cell.DONE]
    shown, size = worst_of(cells, 4)
    assert (shown, size) == ([Cell.DONE, Cell.DONE, Cell.DONE, Cell.LOST], 26)
    assert worst_of([Cell.DONE, Cell.FAILED], 36) == ([Cell.DONE, Cell.FAILED], 1)
    assert min(Cell, key=lambda cell: cell.badness) is Cell.LOST


def test_rounds_have_rows_of_their_own() -> None:
    """Beneath that of the drop."""
    batches = {"1": (*DONE, "again.json"), "2": DONE, "round-1/1": SENT}
    lines = drawn(facts_of(plan_of(2, rounds=(1,)), batches, "round-1.json"))
    assert "  round 0  1 ◆" in lines
    assert "  round 1  ►" in lines


def test_without_utf8() -> None:
    """All of it is ASCII, and a name from outside cannot move the cursor."""
    lines = drawn(facts_of(plan_of(12), TWELVE), place(is_ascii=True))
    assert "\n".join(lines).isascii()
    assert lines[0].startswith("> 3 of 12")
    assert "  * * * 1 v > > > . . . ." in lines


def test_lost_sight_of_the_run() -> None:
    """The frame stays, and its first lines say why nothing new comes."""
    facts = facts_of(plan_of(12), TWELVE)
    lost = ("AWS does not answer, for 12 s; the run goes on without you", "Trying again in 8 s.")
    lines = drawn(facts, lost=lost)
    assert lines[:2] == [f"✗ {lost[0]}", "  Trying again in 8 s."]
    assert lines[3] == "  ◆ ◆ ◆ 1 ▼ ► ► ► · · · ·"
    assert len(lines) == len(drawn(facts)) - 1


def test_no_time_is_promised_before_a_batch_has_ended() -> None:
    """Then it follows from the rate until now."""
    assert eta_of(facts_of(plan_of(12), {"1": SENT})) is None
    eta = eta_of(facts_of(plan_of(2), {"1": DONE, "2": SENT}))
    assert eta == NOW + timedelta(minutes=66), "one took 66 min, and one is left"


def test_as_json() -> None:
    """Counts are numbers, and what is not known is null."""
    content = as_json(snapshot_of(facts_of(plan_of(12), TWELVE), NOW), NOW)
    assert content["batches"] == {
        "all": 12, "to_send": 4, "with_provider": 3, "splitting": 1, "round": 1, "answered": 0, "failed": 3,
        "unknown": 0, "lost": 0, "not_sent": 0,
    }  # fmt: skip
    assert (content["phase"], content["requests"], content["results"]) == ("batches", 1_152_000, 383_760)
    assert (content["failures"], content["again"], content["cut_off"]) == (190, 50, 2640)
    assert (content["cost_usd"], content["forecast_usd"], content["approved_usd"]) == (470, 1410, 1500)
    assert content["trouble"] is None
    troubled = as_json(snapshot_of(facts_of(plan_of(1), {"1": SENT}, trouble=AWAY), NOW), NOW)["trouble"]
    assert (troubled["code"], troubled["since"]) == ("unavailable", AWAY.since)
    held = as_json(snapshot_of(facts_of(plan_of(1), gate=CLOSED), NOW), NOW)
    assert (held["needs"], held["held"][0]["code"], held["eta_at"]) == ("approve or stop", "ceiling", None)
    assert as_json(snapshot_of(facts_of(None), NOW), NOW)["batches"] is None


def test_money_so_far_is_a_lower_bound_until_all_parts_are_read() -> None:
    """A run of thousands of batches is read by several looks."""
    lines = drawn(facts_of(plan_of(3), {"1": DONE}, unread_facts=9))
    assert any(line.startswith("  cost      $117.50+") for line in lines)
    assert any("read so far" in line for line in lines)
    assert OPEN.up_to == 1500
