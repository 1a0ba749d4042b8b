"""Runs from Python, as in a notebook: with the checks, the words and the verdicts of the command."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, Self

import orjson

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run as Fact
from conveyor_cli.amounts import read_amount
from conveyor_cli.aws.errors import explained
from conveyor_cli.deciding.approving import approval, gate_of
from conveyor_cli.drops.drop import drop_file
from conveyor_cli.drops.options import Options
from conveyor_cli.exits import Exit
from conveyor_cli.files.ended import ended_run
from conveyor_cli.files.explain import explained_for
from conveyor_cli.files.fetch import fetch, folder_of
from conveyor_cli.files.results import result_lines
from conveyor_cli.frames.snapshot import Snapshot, snapshot_of
from conveyor_cli.runs.desk import going
from conveyor_cli.runs.find import find_run
from conveyor_cli.runs.read import named, read_runs
from conveyor_cli.runs.reader import Reader
from conveyor_cli.runs.run import ListedRun
from conveyor_cli.stacks.chosen import Choice, ChosenStack, find, find_deployed
from conveyor_cli.trouble import Trouble
from conveyor_cli.verdict import EndOfRun
from conveyor_cli.watching.loop import Lost, now_in_utc, watch

type Usd = Decimal | float | str
"""US dollars."""
_EVERY = 5.0


class Held(Trouble):
    """The run waits until a person approves it: the text says why, what it may cost, and until when."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Say what a screen would say."""
        said = snapshot.said
        commands = tuple(str(step.command) for step in said.steps)
        super().__init__("held", said.first, *said.more, commands=commands, exit_code=Exit.HELD)


class Stack:
    """A stack of Conveyor, seen with your own AWS credentials. All calls raise Trouble, in words, for what fails."""

    def __init__(self, name: str | None = None, *, region: str | None = None, local: bool = False) -> None:
        """Find a stack by its name; by default the one that `conveyor use` has chosen.

        `local`: the one that `make local` has left up. The AWS variables of this process are then those of its AWS.
        """
        self._choice = Choice(name, region, is_local=local)
        self._stack = find(self._choice)

    def __repr__(self) -> str:
        """Return its name."""
        return f"Stack({self._stack.profile.stack!r})"

    def drop(  # noqa: PLR0913 - one for each option of the command
        self,
        file: str | Path,
        *,
        project: str | None = None,
        name: str | None = None,
        probe: bool | None = None,
        hold: bool = False,
        max_usd: Usd | None = None,
        on_invalid: str | None = None,
        max_invalid_percent: int | None = None,
        default_max_tokens: int | None = None,
        betas: str | None = None,
        retry_rounds: int | None = None,
        again: bool = False,
    ) -> "Run":
        """Check a file, upload it, and return its run. What is left out is as the stack has it.

        Raises Refused, with all `faults`, if the stack would refuse the file: then nothing is uploaded. A run that the
        stack refuses only after that, as the same content ran before, has its reason in `verdict`.
        """
        amount = None if max_usd is None else read_amount("max_usd", str(max_usd))
        counts = (max_invalid_percent, default_max_tokens)
        options = Options(project, name, probe, hold, amount, on_invalid, *counts, betas, retry_rounds, again=again)
        deployed = find_deployed(self._choice)
        return Run(deployed, drop_file(deployed, Path(file), options).run)

    def run(self, called: str) -> "Run":
        """Return a run by its id, or the newest run of a name."""
        with explained():
            return Run(self._stack, find_run(self._stack.bucket, called))

    def runs(self, since: datetime | timedelta = timedelta(days=7), project: str | None = None) -> list[ListedRun]:
        """Return the runs since a moment, or for so long: first what needs you, then what runs, then what has ended."""
        now = now_in_utc()
        moment = now - since if isinstance(since, timedelta) else since.astimezone()
        with explained():
            return named(self._stack.bucket, read_runs(self._stack.bucket, moment, now, project))


class Run:
    """A run of a stack. It goes on whatever happens to this object."""

    def __init__(self, stack: ChosenStack, fact: Fact) -> None:
        """Read nothing yet: runs come from `Stack.drop` and `Stack.run`."""
        self._stack, self._fact = stack, fact
        self._reader = Reader(stack.bucket, fact)
        self._verdict: EndOfRun | None = None

    def __repr__(self) -> str:
        """Return its name and id."""
        return f"Run({self.name!r}, {self.run!r})"

    @property
    def run(self) -> str:
        """Its id."""
        return self._fact.run

    @property
    def name(self) -> str:
        """The name of its drop."""
        return self._fact.name

    @property
    def project(self) -> str:
        """Who it is for."""
        return self._fact.project

    @property
    def state(self) -> str:
        """Where it stands now, in words: "probing", "3 of 12 batches done", "completed"."""
        if verdict := self.verdict:
            return verdict.status
        with explained():
            return self._reader.look(now_in_utc()).state.words

    @property
    def verdict(self) -> EndOfRun | None:
        """How it has ended: `status`, `exit`, two sentences, and the counts in `as_json`; None if it has not."""
        if self._verdict is None:
            with explained():
                self._verdict = self._reader.end()
        return self._verdict

    @property
    def receipt(self) -> dict[str, Any]:
        """The receipt of a run that has ended (docs/receipt.md)."""
        with explained_for(self._fact):
            ended = ended_run(self._stack.bucket, self._fact)
        if ended is None:
            raise Trouble("not-ended", f"{self.name} has not ended", exit_code=Exit.USAGE)
        receipt: dict[str, Any] = orjson.loads(ended.data)
        return receipt

    def wait(self, timeout: float | None = None, *, every: float = _EVERY, keep_waiting: bool = False) -> Self:
        """Wait until the run has ended, and return it. However it has ended, that raises nothing: see `verdict`.

        `timeout`: seconds, then TimeoutError is raised. `every`: seconds between two looks, at least. Raises Held where
        a person must approve, unless `keep_waiting` is set. While AWS does not answer, it waits.
        """
        until = None if timeout is None else monotonic() + timeout
        seen = watch(lambda _: self._look(until, ends_at_hold=not keep_waiting), _lost(until), every)
        if seen.snapshot and seen.is_held:
            raise Held(seen.snapshot)
        if seen.verdict is None:
            raise TimeoutError(f"{self.name} has not ended within {timeout} s; it goes on")
        self._verdict = seen.verdict
        return self

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield what was answered, in the order of the drop: a dict for each request, as in results.jsonl."""
        return map(orjson.loads, result_lines(self._stack, self._fact))

    def failures(self) -> Iterator[dict[str, Any]]:
        """Yield what was not answered, in the order of the drop: a dict for each request, as in failures.jsonl."""
        return map(orjson.loads, result_lines(self._stack, self._fact, keys.FAILURES))

    def fetch(self, to: str | Path | None = None) -> Path:
        """Fetch the files of a run that has ended into a folder, verify them, and return the folder.

        By default it is the last part of the run's name. What is there and matches stays.
        """
        return fetch(self._stack, self._fact, Path(to) if to is not None else folder_of(self._fact)).to

    def stop(self) -> None:
        """End the run at its next look: nothing more is sent, and what was sent is canceled. What it has is kept."""
        self._say(keys.STOP, b"stop\n")

    def pause(self) -> None:
        """Send nothing new until somebody approves."""
        self._say(keys.PAUSE, b"pause\n")

    def approve(self, up_to: Usd | None = None, *, no_limit: bool = False) -> None:
        """Let a run go on that waits. `up_to`: what it may cost in all. Raises Trouble if that would open nothing."""
        with explained():
            found = going(self._stack.bucket, self.run)
            amount = None if up_to is None else read_amount("up_to", str(up_to))
            words, _ = approval(gate_of(found), amount, no_limit=no_limit, is_shown=False, called=self.name)
            name = keys.approval_name(found.run_state.gate)
            self._stack.bucket.put(found.control(name), f"{words}\n".encode())

    def _say(self, name: str, text: bytes) -> None:
        with explained():
            found = going(self._stack.bucket, self.run)
            self._stack.bucket.put(found.control(name), text)

    def _look(self, until: float | None, *, ends_at_hold: bool) -> "_Seen":
        if verdict := self._reader.end():
            return _Seen(until, verdict=verdict)
        facts = self._reader.look(now_in_utc())
        by_receipt = self._reader.ended_by(None) if facts.state.may_have_ended else None
        snapshot = snapshot_of(facts, now_in_utc())
        return _Seen(until, by_receipt, snapshot, is_held=ends_at_hold and self._reader.is_held(facts))


class _Seen(NamedTuple):
    """A run as one look has seen it."""

    until: float | None
    verdict: EndOfRun | None = None
    snapshot: Snapshot | None = None
    is_held: bool = False

    def show(self, _: datetime) -> bool:
        """Return whether there is nothing more to wait for."""
        return bool(self.verdict) or self.is_held or _is_late(self.until)


def _is_late(until: float | None) -> bool:
    return until is not None and monotonic() >= until


def _lost(until: float | None) -> Lost:
    """Return what hears that AWS does not answer: it raises once time is up."""

    def hear(why: Trouble, *_: datetime) -> None:
        if _is_late(until):
            raise TimeoutError(why.message) from why

    return hear
