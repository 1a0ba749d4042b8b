"""Frames as a terminal shows them, and trouble that they show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.text import Text

from conveyor.domain.refusal import RefusalKind
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import AttemptRefused
from conveyor.ledger.run_facts import LastingTrouble
from conveyor.wording.visible import visible
from conveyor_cli.frames.frame import Place, frame_of
from conveyor_cli.frames.snapshot import snapshot_of
from tests.support.watched import DONE, ID, NOW, SENT, SPLITTING, facts_of, plan_of

if TYPE_CHECKING:
    from conveyor.wording.marks import Mark
    from conveyor_cli.runs.facts import Facts

ONE_MINUTE = timedelta(minutes=1)
FOOT = [
    "",
    f"  catalog-2026-11  project shop  {ID}  2 h 41 min",
    "  Ctrl-C leaves the run going.",
]
TWELVE = {
    **{str(number): DONE for number in (1, 2, 3)},
    "4": (*DONE, "again.json"),
    "5": SPLITTING,
    **{str(number): SENT for number in (6, 7, 8)},
}
BUSY = AttemptRefused("w", NOW - 14 * ONE_MINUTE, RefusalKind.LATER, 429, "rate_limit_error", NOW + 2 * ONE_MINUTE)
DOWN = AttemptRefused("w", NOW, RefusalKind.LATER, 529, "overloaded_error", NOW + 5 * ONE_MINUTE)
FIRST = BatchName("", 1)
AWAY = LastingTrouble("w", NOW - 40 * ONE_MINUTE, "unavailable", NOW - 42 * ONE_MINUTE, "HTTP 503")
TOO_MANY = LastingTrouble("w", NOW - 40 * ONE_MINUTE, "busy", NOW - 42 * ONE_MINUTE, "HTTP 429")
GONE = LastingTrouble("w", NOW - 40 * ONE_MINUTE, "gone", NOW - 42 * ONE_MINUTE, "HTTP 404", NOW + timedelta(hours=27))
DENIED = LastingTrouble("w", NOW - 40 * ONE_MINUTE, "credentials", NOW - 42 * ONE_MINUTE, "HTTP 401")


def place(width: int = 80, height: int = 24, *, is_ascii: bool = False) -> Place:
    """Return a terminal."""

    def mark(of: Mark) -> Text:
        return Text(of.in_ascii if is_ascii else of.utf8, style=of.style)

    return Place(width, height, lambda text: visible(text, ascii_only=is_ascii), mark, is_ascii)


def drawn(facts: Facts, where: Place | None = None, lost: tuple[str, ...] = ()) -> list[str]:
    """Return the lines of a frame."""
    return [line.plain.rstrip() for line in frame_of(snapshot_of(facts, NOW), where or place(), lost=lost)]


def denied() -> Facts:
    """Return a run about whose batches the provider answers HTTP 401."""
    facts = facts_of(plan_of(12), TWELVE, trouble=DENIED)
    return facts._replace(run=replace(facts.run, key_secret="conveyor/api-key"))  # noqa: S106 - its name
