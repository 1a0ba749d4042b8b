"""`make demo`: drop a file, watch its run, and check that what comes back is what the README promises."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console

from local.choices import Choices, InvalidChoice, read_choices
from local.demo.command import conveyor
from local.demo.outcome import Outcome, collect, failed_checks
from local.demo.output import (
    REMOTE_NOTICE,
    SIMULATED_NOTICE,
    print_end,
    print_message,
    print_results,
    print_running_batches,
    print_text,
)
from local.paths import MISTAKES, ROOT, SAVED
from local.process import ProcessFailed, interruptible
from local.stack.start import local_stack

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.messages import Message
    from local.stack.stack import Stack

OUTCOMES = {
    8: "errored:overloaded_error",
    23: "errored:invalid_request_error",
    42: "expired",
    99: "canceled",
    150: "errored:api_error",
}
"""The lines of the sample that fail at the simulated provider."""
LASTING = (23, 99)
"""Those of them that are not answered in a round: it sends the others again."""
SIMULATED_SECONDS = 4.0  # until a simulated batch ends: long enough to see the waiting
SIMULATED_LIMIT, REAL_LIMIT = 600.0, 30 * 3600.0  # seconds until the demo gives up
MESSAGE_SECONDS = 60.0  # from the end of a run to its message
REFUSED = 3
"""Exit code of a command that refuses a file."""


def run_demo(choices: Choices, console: Console) -> list[str]:
    """Run the demo; returns a sentence for each check that failed."""
    start = time.monotonic()

    def announce(step: str) -> None:
        console.print(f"{time.monotonic() - start:6.1f} s  {step}", highlight=False)

    with local_stack(
        api=choices.api,
        wait_scale=choices.wait_scale,
        provider_settings={"seconds": SIMULATED_SECONDS, "outcomes": {} if choices.file else OUTCOMES},
        parameters=choices.parameters,
        announce=announce,
    ) as stack:
        announce("ready")
        outcomes = {file: _drop_valid(stack, file, choices, console) for file in choices.drops}
        failures = [failure for file, outcome in outcomes.items() for failure in _failed(file, outcome, choices)]
        failures += _check_paid_once(stack)
        if choices.file is None and not failures:
            failures += _drop_invalid(stack, choices, console)
        announce("stopping the local AWS")
    print_text(console, f"\nFinished in {time.monotonic() - start:.0f} s; everything is shut down.")
    for outcome in outcomes.values():
        if outcome:
            print_end(console, outcome, _as_typed(SAVED / outcome.message.run))
    return failures


def _drop_valid(stack: Stack, file: Path, choices: Choices, console: Console) -> Outcome | None:
    """Drop a file whose requests should be sent; returns None if it was refused."""
    if choices.is_remote:
        print_text(console, f"\n{REMOTE_NOTICE}")
    outcome = _drop(stack, file, choices, console)
    if outcome and outcome.message.status != "refused":
        print_results(console, outcome)
    return outcome


def _failed(file: Path, outcome: Outcome | None, choices: Choices) -> list[str]:
    """Return the failed checks of a drop."""
    if outcome is None or outcome.message.status == "refused":
        return [] if choices.file else [f"{file.name} was refused"]
    content = file.read_bytes()
    lines = content.count(b"\n")
    expected = {line: OUTCOMES[line].partition(":")[0] for line in LASTING if line <= lines}
    return list(failed_checks(content, outcome, None if choices.file or choices.api else expected))


def _drop_invalid(stack: Stack, choices: Choices, console: Console) -> list[str]:
    """Drop the file with mistakes; returns the failed checks."""
    if _drop(stack, MISTAKES, choices, console):
        return ["the drop with mistakes was not refused"]
    is_uploaded = any(MISTAKES.stem in key for key in stack.keys("inbox/"))
    return (["the drop with mistakes was uploaded"] if is_uploaded else []) + _check_paid_once(stack)


def _check_paid_once(stack: Stack) -> list[str]:
    """Compare the create calls that the simulated provider counted with the plans; a real provider cannot be asked."""
    if stack.provider is None:
        return []
    plans = [key for key in stack.keys("runs/") if key.endswith("/plan.jsonl")]
    planned = sum(_count_batches(stack.lines(key)) for key in plans)
    creates = stack.provider_stats()["calls"]["create"]
    failure = f"the provider got {creates} calls to create a batch, and {planned} were planned"
    return [] if creates == planned else [failure]


def _count_batches(plan: list[Any]) -> int:
    """Return how many batches a plan has, those of its probe included. A batch may have nothing left to send."""
    drop, *batches = plan
    probe = drop.get("probe")
    return sum(int(batch["requests"]) > 0 for batch in batches) + (len(probe["batches"]) if probe else 0)


def _drop(stack: Stack, file: Path, choices: Choices, console: Console) -> Outcome | None:
    """Drop a file, follow its run and fetch its files, with the command; None if the command refuses the file."""
    console.rule()
    limit = REAL_LIMIT if choices.is_remote else SIMULATED_LIMIT
    before = set(stack.runs())
    dropped = conveyor(stack, console, limit, "drop", _as_typed(file))
    new = sorted(set(stack.runs()) - before)
    if not new:
        if dropped != REFUSED:
            raise ProcessFailed(f"conveyor drop ended with {dropped}")
        return None
    (run,) = new
    try:
        conveyor(stack, console, limit, "watch", run, "--keep-waiting", "--every", "0.5")
    except BaseException:
        if choices.api is not None:
            batches = [claim.removeprefix("claims/batches/") for claim in stack.keys("claims/batches/")]
            print_running_batches(console, batches, choices.api, choices)
        raise
    messages = _messages(stack, run)
    folder = SAVED / run
    if conveyor(stack, console, limit, "fetch", run, "--to", _as_typed(folder)):
        raise ProcessFailed("the files of the run could not be fetched")
    for message in messages:
        print_message(console, message)
    if stack.provider is not None:
        print_text(console, f"\n{SIMULATED_NOTICE}")
    return collect(messages[-1], folder)


def _messages(stack: Stack, run: str) -> list[Message]:
    """Return the messages about a run that has ended; the final one is the last."""

    def of_the_run() -> list[Message] | None:
        found = sorted((each for each in stack.messages() if each.run == run), key=lambda each: each.is_final)
        return found if found and found[-1].is_final else None

    return stack.wait_for(of_the_run, MESSAGE_SECONDS, f"final message about {run}")


def _as_typed(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main() -> int:
    """Run the demo; returns the exit code."""
    try:
        with interruptible():
            failures = run_demo(read_choices(os.environ), Console())
    except InvalidChoice as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (ProcessFailed, TimeoutError) as error:
        sys.stderr.write(f"The demo failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; everything on this machine is shut down.\n")
        return 130
    for failure in failures:
        sys.stderr.write(f"Check failed: {failure}.\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
