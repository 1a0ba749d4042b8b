"""A verdict as Markdown, as the summary of a job in CI shows it."""

import re
from collections.abc import Callable
from pathlib import Path

from conveyor.ledger.run_facts import Run
from conveyor.verdict.verdict import Verdict
from conveyor.wording.visible import visible
from conveyor_cli.trouble import Trouble

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#!~$&])")


def write_summary(file: Path, run: Run, verdict: Verdict, typed: Callable[[str], str]) -> None:
    """Add the verdict of a run to a file. Raises Trouble if it cannot be written.

    `typed`: returns a command as it is typed to be about the same stack.
    """
    try:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(markdown_of(run, verdict, typed))
    except OSError as error:
        raise Trouble("summary-unwritable", f"{file} cannot be written ({type(error).__name__})") from error


def markdown_of(run: Run, verdict: Verdict, typed: Callable[[str], str]) -> str:
    """Return it; texts of somebody else cannot become markup."""
    lines = [f"## {verdict.mark.utf8} {_plain(verdict.first)}", "", _plain(verdict.second), ""]
    if verdict.checks:
        lines += ["| | Check | Value | |", "|---|---|---:|---|"]
        for check in verdict.checks:
            lines.append(f"| {check.mark.utf8} | {check.name} | {_plain(check.value)} | {_plain(check.note)} |")
        lines.append("")
    if verdict.causes:
        lines += ["| Lines | Type | Words | |", "|---:|---|---|---|"]
        for cause in verdict.main_causes:
            again = "again" if cause.is_retryable else ""
            lines.append(f"| {cause.lines:,} | {_plain(cause.type)} | {_plain(cause.words)} | {again} |")
        lines.append("")
    for step in verdict.steps:
        lines += [_plain(step.words), *(["", f"    {typed(step.command)}"] if step.command else []), ""]
    return "\n".join([*lines, f"Run `{run.run}`", "", ""])


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", visible(text))
