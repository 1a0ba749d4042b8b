"""The last block of a command that followed a run: the verdict on stdout."""

from conveyor.verdict.verdict import Verdict
from conveyor.wording.text import cut_middle
from conveyor_cli.screen.screen import WIDE, Screen

_GAP = "  "


def show_verdict(screen: Screen, verdict: Verdict) -> None:
    """Write how a run has ended: what happened, what was measured, why requests failed, and what to do."""
    screen.verdict(verdict.mark, verdict.first, verdict.second)
    _checks(screen, verdict)
    _faults(screen, verdict)
    _causes(screen, verdict)
    _steps(screen, verdict)


def _checks(screen: Screen, verdict: Verdict) -> None:
    if not verdict.checks:
        return
    screen.line()
    names = max(len(check.name) for check in verdict.checks)
    values = max(len(check.value) for check in verdict.checks)
    for check in verdict.checks:
        screen.marked(check.mark, f"{check.name:<{names}}  {check.value:>{values}}  {check.note}".rstrip(), indent=2)


def _faults(screen: Screen, verdict: Verdict) -> None:
    if not verdict.faults:
        return
    rows = [(f"{fault.line:,}" if fault.line else "-", fault.code, fault.message) for fault in verdict.faults]
    lines, codes = (max(len(row[at]) for row in [("Line", "Code", ""), *rows]) for at in (0, 1))
    screen.line()
    screen.line(f"  {'Line':>{lines}}  {'Code':<{codes}}  Fault", style="dim")
    room = max(screen.width - lines - codes - 3 * len(_GAP), 20)
    for line, code, message in rows:
        screen.line(f"  {line:>{lines}}  {code:<{codes}}  {_cut(screen, message, room)}")


def _causes(screen: Screen, verdict: Verdict) -> None:
    shown = verdict.main_causes
    if not shown:
        return
    screen.line()
    lines, types = max(len(f"{cause.lines:,}") for cause in shown), max(len(cause.type) for cause in shown)
    types = min(types, 30)
    room = max(min(screen.width, WIDE) - lines - types - len("again") - 4 * len(_GAP), 10)
    words = [_cut(screen, cause.words, room) for cause in shown]
    for cause, text in zip(shown, words, strict=True):
        again = "again" if cause.is_retryable else ""
        kind = f"{cut_middle(cause.type, types):<{types}}"
        screen.line(f"  {cause.lines:>{lines},}  {kind}  {text:<{max(map(len, words))}}  {again}".rstrip())
    if more := verdict.causes[len(shown) :]:
        others = sum(cause.lines for cause in more)
        name = "cause" if len(more) == 1 else "causes"
        screen.line(f"  and {len(more):,} more {name}, {others:,} {'line' if others == 1 else 'lines'}")


def _steps(screen: Screen, verdict: Verdict) -> None:
    for at, step in enumerate(verdict.steps):
        if not at:
            screen.line()
        screen.wrapped(step.words, indent=2)
        if step.command:
            screen.command(step.command)


def _cut(screen: Screen, text: str, room: int) -> str:
    shown = screen.text(text)
    end = "..." if screen.is_ascii else "…"
    return shown if len(shown) <= room else f"{shown[: room - len(end)]}{end}"
