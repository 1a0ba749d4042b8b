"""A drop of three lines, which costs less than a cent and must come back."""

import json
import tempfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple
from uuid import uuid4

from conveyor.ledger.run_facts import Run
from conveyor.wording.numbers import rounded_up, span
from conveyor_cli.aws.errors import explained
from conveyor_cli.doctor.finding import Finding, failed, ok
from conveyor_cli.drops.check import CheckedFile, check_with, refuse_if_wrong
from conveyor_cli.drops.deployed import known_of
from conveyor_cli.drops.drop import dropped, upload
from conveyor_cli.drops.options import Options
from conveyor_cli.exits import Exit
from conveyor_cli.files.fetch import fetch
from conveyor_cli.runs.reader import Reader
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.state import Group
from conveyor_cli.verdict import EndOfRun
from conveyor_cli.watching.loop import now_in_utc

LINES = 3
_MAX_TOKENS = 16
_PAUSE = 2.0
_QUESTION = "Reply with the word ready."


class Lines(NamedTuple):
    """What is dropped."""

    model: str
    project: str | None = None


class Small(NamedTuple):
    """The drop, checked, before it is uploaded."""

    checked: CheckedFile
    usd: Decimal | None
    """What it costs at most; None if the model has no price."""

    @property
    def price(self) -> str:
        """What it costs at most, in words."""
        return "an unknown price: the model is in no table" if self.usd is None else f"at most {rounded_up(self.usd)}"


def prepare(stack: ChosenStack, folder: Path, lines: Lines) -> Small:
    """Write and check the drop; nothing is uploaded. Raises Trouble if the stack would refuse it."""
    token = uuid4().hex[:12]
    path = folder / f"doctor-{token}.jsonl"
    messages = [{"role": "user", "content": f"{_QUESTION} ({token})"}]
    params = {"model": lines.model, "max_tokens": _MAX_TOKENS, "messages": messages}
    path.write_text("".join(f"{json.dumps({'custom_id': f'{n}', 'params': params})}\n" for n in range(1, LINES + 1)))
    checked = check_with(known_of(stack), stack, path, Options(project=lines.project, probe=False))
    refuse_if_wrong(checked)
    estimate = checked.estimate
    return Small(checked, estimate.at_most_usd if estimate else None)


def drop(stack: ChosenStack, small: Small, longest: float, tell: Callable[[str], None]) -> Finding:
    """Upload the drop, wait for its end, and verify its files. `longest`: seconds of the wait. `tell`: hears the run.

    The run goes on if the wait ends first, or if Ctrl-C is typed.
    """
    began, checked = monotonic(), small.checked
    found = dropped(stack, checked.run.drop.key, upload(stack, checked), checked)
    run = found.run
    follow = [f"conveyor watch {run.run}"]
    if found.refusal:
        return failed(f"{run.run} is refused: {found.refusal.message}", "Nothing was charged.")
    tell(run.run)
    reader = Reader(stack.bucket, run)
    while monotonic() - began < longest:
        with explained():
            ended = reader.end()
            state = None if ended else reader.look(now_in_utc()).state
        if ended:
            return _verified(stack, run, ended, monotonic() - began)
        if state and state.group is Group.NEEDS_YOU:
            return failed(f"{run.run} is {state.words}", commands=[f"conveyor approve {run.run}", *follow])
        sleep(_PAUSE)
    words = f"{run.run} has not come back within {longest / 60:g} min: the provider may take up to a day"
    return failed(words, "It goes on by itself.", commands=follow)


def _verified(stack: ChosenStack, run: Run, ended: EndOfRun, seconds: float) -> Finding:
    """Fetch the files of a run that has ended into a folder that is removed, and compare them with its receipt."""
    with tempfile.TemporaryDirectory(prefix="conveyor-doctor-") as folder:
        fetched = fetch(stack, run, Path(folder))
    receipt = fetched.ended.receipt
    commands = [f"conveyor report {run.run}"]
    if ended.exit is not Exit.DONE or (receipt.requests, receipt.results) != (LINES, LINES):
        return failed(f"{run.run}: {ended.first}", commands=commands)
    return ok(f"{LINES} lines came back in {span(timedelta(seconds=seconds))}; receipt and checksums match")
