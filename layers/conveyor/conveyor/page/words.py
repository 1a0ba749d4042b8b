"""The page's own words: labels of what the report names by a code."""

from datetime import datetime

from conveyor.domain.outcome import Outcome
from conveyor.domain.status import Status
from conveyor.ledger.failure_counts import without_numbers
from conveyor.page.batches import AFTER_ROUND, ANSWERED, NO_RESULTS, NOT_SENT, SOME_FAILED, UNKNOWN, GridRow
from conveyor.page.data import Report
from conveyor.page.outcomes import CauseRow, OutcomeRow
from conveyor.verdict.checks import About
from conveyor.verdict.kinds import KINDS
from conveyor.wording.text import counted

TONES = {"ok": "ok", "error": "bad", "not_sent": "soft"}
"""Of marks; all others ask for a look."""
MARKS = {"ok": "Passed", "error": "Failed", "look": "Look", "some_failed": "Some failed", "unknown": "Not known"}
OUTCOMES = {
    "complete": "Complete answers",
    "cut_off": "Answers cut off",
    Outcome.ERRORED: "Failed with an error",
    Outcome.CANCELED: "Canceled",
    Outcome.EXPIRED: "Expired",
    Outcome.MISSING: "Missing",
    Outcome.STUCK: "Without results",
    Outcome.INVALID: "Left out as invalid",
    "not_run": "Not sent",
}
NOTES = {"cut_off": "they reached max_tokens", "not_run": "nothing was charged for them"} | {
    outcome: KINDS[outcome] for outcome in ("canceled", "expired", "missing", "stuck")
}
FILLS = {"complete": "data", "cut_off": "hatch", "not_run": "none", "canceled": "none", "invalid": "none"}
"""How pieces of the bar are filled; all others are failures."""
KINDS_OF_TOKENS = {
    "input": "Input",
    "output": "Output",
    "cache_write_5m": "Cache write, 5 min",
    "cache_write_1h": "Cache write, 1 h",
    "cache_read": "Cache read",
    "web_search": "Web searches",
}
STOPS = {
    "end_turn": "complete",
    "stop_sequence": "complete, ended at a stop sequence",
    "tool_use": "complete, with a call of a tool",
    "max_tokens": "cut off at max_tokens",
    "model_context_window_exceeded": "cut off by the context window of the model",
    "refusal": "refused by the model",
    "pause_turn": "unfinished",
}
STATES = {
    ANSWERED: "all answered",
    AFTER_ROUND: "all answered after a round",
    SOME_FAILED: "some failed",
    NO_RESULTS: "none answered",
    NOT_SENT: "not sent",
    UNKNOWN: "not known",
}
"""Of batches, in the order of the legend."""
SECTIONS = {
    About.LINES: "outcomes",
    About.FAILURES: "causes",
    About.LOST: "causes",
    About.ANSWERS: "answers",
    About.COST: "money",
}
"""Where a check's details are."""
_HUES = {"ok": "0b7a43", "bad": "c4232b", "warn": "c98500", "soft": "6b7686"}
_SHAPES = {
    "ok": "M2 9l4 4 8-10",
    "bad": "M3 3l10 10M13 3L3 13",
    "warn": "M8 2l6 6-6 6-6-6z",
    "soft": "M2 8h12",
}


def title_of(report: Report) -> str:
    """Return the name of the status, as people read it."""
    word = report.status.replace("-", " ").capitalize()
    return f"{word} with failures" if report.status is Status.COMPLETED and report.mark == "some_failed" else word


def tone_of(mark: str) -> str:
    """Return the class of a mark."""
    return TONES.get(mark, "warn")


def icon_of(mark: str) -> str:
    """Return the icon of the page, as the address of an image."""
    tone = tone_of(mark)
    path = f"%3Cpath d='{_SHAPES[tone]}' fill='none' stroke='%23{_HUES[tone]}' stroke-width='2.5'/%3E"
    return f"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E{path}%3C/svg%3E"


def section_of(report: Report, about: str) -> str:
    """Return the section with the details of a check; empty if nothing is known that it could show."""
    section = SECTIONS[About(about)]
    return section if getattr(report, section) else ""


def said_of(cause: CauseRow) -> str:
    """Return the provider's text for a cause: that of its first example, which has the numbers."""
    first = cause.examples[0].words if cause.examples else ""
    return first if without_numbers(first) == cause.words else cause.words


def leg_name(leg: int) -> str:
    """Return the name of what was sent together."""
    return "Sample" if leg < 0 else f"Round {leg}" if leg else "All lines"


def cells_said(row: GridRow) -> str:
    """Return what a row of the grid shows, in numbers."""
    counts = {letter: row.cells.count(letter) for letter in STATES}
    said = ", ".join(f"{count:,} {STATES[letter]}" for letter, count in counts.items() if count)
    if row.batches_a_cell == 1:
        return f"{counted(row.batches, 'batch', 'batches')}: {said}"
    cells = counted(len(row.cells), "cell")
    return f"{row.batches:,} batches in {cells}, each of which shows the worst of {row.batches_a_cell}: {said}"


def fill_of(row: OutcomeRow) -> str:
    """Return the class of a piece of the bar of outcomes."""
    return FILLS.get(row.outcome, "bad")


def day_and_time(moment: datetime) -> str:
    """Return a moment, as `24 November 2026, 08:15`."""
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def moment(at: datetime, began: datetime) -> str:
    """Return a moment to the second, with the day if that is not the day on which the run began."""
    return f"{at:%H:%M:%S}" if at.date() == began.date() else f"{at.day} {at:%b, %H:%M:%S}"


def until(began: datetime, ended: datetime) -> str:
    """Return the end of a time, without the day if that is the same."""
    return f"{ended:%H:%M}" if began.date() == ended.date() else day_and_time(ended)
