"""What a screen says of a file that was checked: what it costs, what comes first, or why it is refused."""

import shlex
from typing import Any

from rich.table import Table
from rich.text import Text

from conveyor.domain.findings import Fault, findings_of
from conveyor.file_types.conversion import conversion_of
from conveyor.gates.limits import unasked_usd
from conveyor.gates.reasons import reasons_of
from conveyor.wording.advice import ADVICE
from conveyor.wording.bounds import at_most
from conveyor.wording.marks import Mark
from conveyor.wording.text import counted, exact_dollars, sentence
from conveyor_cli.drops.check import CheckedFile
from conveyor_cli.drops.options import command_of
from conveyor_cli.screen.screen import Screen

_GAP = 2
_MOST_MODELS = 5


def show_checked(screen: Screen, file: CheckedFile, seconds: float) -> None:
    """Show what a good file has, what it costs at most, and what comes first."""
    if file.drop is None or file.estimate is None:
        return
    models = len(file.estimate.models)
    found = f"{counted(file.requests, 'request')}, {counted(len(file.faults), 'fault')}, {counted(models, 'model')}"
    screen.step("Checked", found, seconds)
    amount = at_most(file.estimate)
    screen.step("Estimated", amount if file.estimate.at_most_usd is None else f"at most {amount}")
    for line in what_follows(file):
        screen.line(f"  {line}")
    if unpriced := file.estimate.unpriced:
        named = ", ".join(unpriced[:_MOST_MODELS]) + (" and more" if len(unpriced) > _MOST_MODELS else "")
        screen.caution(f"No price is known for {named}", "What they cost is not in the estimate.")


def what_follows(file: CheckedFile) -> list[str]:
    """Return what comes first once it is uploaded: a probe, an approval."""
    if file.drop is None:
        return []
    lines, probe, limit = list[str](), file.drop.probe, unasked_usd(file.run, file.drop)
    if skipped := (file.lines or 0) - file.requests:
        lines.append(f"{counted(skipped, 'invalid line')} {'is' if skipped == 1 else 'are'} left out.")
    if probe:
        lines.append(f"A sample of {counted(probe.requests, 'request')} is answered before the rest is sent.")
    reasons = reasons_of(file.run, file.drop)
    lines += [f"It waits for an approval: {sentence(reason.message)}" for reason in reasons]
    if not reasons and probe and limit is not None:
        lines.append(f"A forecast above {exact_dollars(limit)} waits for an approval.")
    return lines


def show_refused(screen: Screen, file: CheckedFile, typed: str) -> None:
    """Show why a file was not uploaded, and what to type. `typed`: the path of the file, as it was typed."""
    if file.reason is None:
        return
    code, message = file.reason
    bad, lines = (file.lines or 0) - file.requests, file.lines
    are_invalid = code == "invalid-lines" and lines is not None
    if are_invalid:
        message = f"{bad:,} of {counted(lines or 0, 'line')} {'is' if bad == 1 else 'are'} invalid"
    more = ["Nothing was sent or charged.", *([ADVICE[code]] if code in ADVICE else [])]
    screen.verdict(Mark.ERROR, f"Not dropped: {message}", *more)
    if file.faults:
        screen.line()
        screen.table(_table(screen, file.faults))
    if are_invalid and file.requests:
        screen.line()
        screen.line(f"  Drop the other {counted(file.requests, 'line')} only")
        screen.command(command_of(typed, file.options._replace(on_invalid="skip")))
    _show_conversion(screen, file, typed)


def _show_conversion(screen: Screen, file: CheckedFile, typed: str) -> None:
    """Show how to convert a file of a wrong type, with the command of the message that the stack would send."""
    if not (file.checked.file_type and (of := conversion_of(file.checked.file_type, typed, file.file.layers))):
        return
    folder = typed.rpartition("/")[0]
    made = f"{folder}/{of.file}" if folder else of.file
    screen.line()
    if of.command:
        screen.line("  Convert it to a file of requests")
        screen.command(_typed_in(folder, of.command))
        if of.powershell:
            screen.line("  In Windows PowerShell, in its folder")
            screen.command(of.powershell)
        screen.line("  Then drop the new file")
    elif of.prepare:
        prompt = screen.text(f"{folder}/prompt.md" if folder else "prompt.md")
        screen.line(f"  Write your prompt into {prompt}, with {{{{ text }}}} for a column text, say. Then")
        screen.command(_typed_in(folder, of.prepare))
        screen.line("  Drop the new file")
    else:
        screen.line(f"  Once it is converted to {of.file} (docs/files.md), drop that file")
    screen.command(command_of(made, file.options))


def _typed_in(folder: str, command: str) -> str:
    """Return a command that runs in a folder; without one, here."""
    return f"(cd {shlex.quote(folder)} && {command})" if folder else command


def as_json(file: CheckedFile) -> dict[str, Any]:
    """Return what was found, for programs."""
    estimate = file.estimate
    return {
        "name": file.run.name,
        "project": file.run.project,
        "key": file.run.drop.key,
        "requests": file.requests,
        "at_most_usd": estimate.at_most_usd if estimate else None,
        "models": {
            model: {"requests": each.requests, "at_most_usd": each.at_most_usd}
            for model, each in (estimate.models if estimate else {}).items()
        },
        "sample": file.drop.probe.requests if file.drop and file.drop.probe else 0,
        "waits": [reason.message for reason in reasons_of(file.run, file.drop)] if file.drop else [],
        "notes": [note._asdict() for note in file.notes],
    }


def refused_as_json(file: CheckedFile) -> dict[str, Any]:
    """Return why a file was not uploaded, for programs: with all faults, which quote no prompt."""
    code, message = file.reason or ("", "")
    faults = [{"line": each.line, "code": each.code, "message": each.message} for each in file.faults]
    refused = {"code": code, "message": message, "lines": file.lines, "faults": len(faults)}
    return {"refused": refused, "faults": faults, "notes": [note._asdict() for note in file.notes]}


def _table(screen: Screen, faults: list[Fault]) -> Table:
    """Return some faults: one for each code first, as in the message that the stack would send."""
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    table.add_column("  Line", justify="right")
    table.add_column("Fault")
    found = findings_of(faults)
    for each in found.first if found else []:
        table.add_row(Text("  -" if each.line is None else f"  {each.line:,}"), Text(screen.text(each.message)))
    return table
