"""`make demo`: drop a file, watch it come back, and hold what came back against what is promised.

Takes its choices from the environment, as make hands them on: FILE, API, AUTH, LIVE, API_URL, PARAMETERS and
ANTHROPIC_API_KEY.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from local.aws import ROOT
from local.outcome import Outcome, broken_promises, collect
from local.process import ProcessFailed, interruptible
from local.progress import Progress, watch
from local.stack import PLACEHOLDER_KEY, Api, Stack, local_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLE = ROOT / "samples" / "humaneval-164.jsonl"
ARTICLES = ROOT / "samples" / "articles.jsonl"
MISTAKES = ROOT / "samples" / "mistakes.jsonl"
SAVED = ROOT / ".demo"
LIVE_URL = "https://api.anthropic.com"
DIALECTS = ("messages", "files")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
WIDTH = 160  # characters of a printed line of JSON

# What the simulated provider does to lines of the sample.
TROUBLE = {
    8: "errored:overloaded_error",
    23: "errored:invalid_request_error",
    42: "expired",
    99: "canceled",
    150: "errored:api_error",
}
REMOTE = (
    "This uses a real API: it takes minutes to hours, and every request that succeeds is paid for.\n"
    "Leave it running: what collects the results runs here and ends with it. If you interrupt it, the batches go on\n"
    "at the provider, and the commands that fetch their results or cancel them are printed then."
)
INVENTED = "The provider is simulated: the tokens and the cost above are invented, and nothing was paid."
SIMULATED_SECONDS = 4.0  # until a batch of the simulated provider ends: long enough to see the waiting
SIMULATED_SCALE, REAL_SCALE = 0.02, 1.0  # of the seconds of every wait in the state machine
SIMULATED_LIMIT, REAL_LIMIT = 600.0, 30 * 3600.0  # seconds until we give up


class Misuse(Exception):
    """The choices cannot be followed; the message says what to type instead."""


@dataclass(frozen=True)
class Choices:
    """What the user asked for."""

    file: Path | None
    api: Api | None
    """None: the simulated provider."""
    dialect: str = "messages"
    more: dict[str, str] = field(default_factory=dict)
    """Other parameters of the template."""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the template that are not at their defaults."""
        return {"BatchApi": self.dialect} | self.more

    @property
    def drops(self) -> list[Path]:
        """What is meant to go through: with nothing chosen the sample, and before it that of the dialect's tutorial."""
        if self.file is not None:
            return [self.file]
        return [ARTICLES, SAMPLE] if self.dialect == "files" else [SAMPLE]

    @property
    def is_remote(self) -> bool:
        """Whether real time passes, and perhaps real money."""
        return self.api is not None and urlsplit(self.api.url).hostname not in LOOPBACK


def choices(env: Mapping[str, str]) -> Choices:
    """Read the choices. Raises Misuse."""
    name, live, url, key = (env.get(each, "") for each in ("FILE", "LIVE", "API_URL", "ANTHROPIC_API_KEY"))
    file = Path(name).expanduser() if name else None
    if file is not None and file.is_dir():
        raise Misuse(f"FILE={name}: that is a directory; give one .jsonl file")
    if file is not None and not file.is_file():
        raise Misuse(f"FILE={name}: there is no such file (looked in {Path.cwd()})")
    if file is not None and not file.stat().st_size:
        raise Misuse(f"FILE={name}: the file is empty, and an empty upload is ignored")
    dialect = env.get("API") or "messages"
    if dialect not in DIALECTS:
        raise Misuse(f"API={dialect}: there is {' and '.join(DIALECTS)}")
    more = _parameters(env.get("PARAMETERS", "")) | ({"Auth": env["AUTH"]} if env.get("AUTH") else {})
    if more.get("Auth") == "aws" and (url or live not in {"", "0"} or dialect != "messages"):
        raise Misuse("AUTH=aws is for the simulated provider here, and for API=messages: deploy it to use the real one")
    if live in {"", "0"}:
        return Choices(file, Api(_checked(url), key or PLACEHOLDER_KEY) if url else None, dialect, more)
    if dialect != "messages":
        raise Misuse(f"LIVE=1 is Anthropic's API, which does not speak API={dialect}: name a server with API_URL")
    if url:
        raise Misuse("LIVE=1 uses the real API, API_URL another server: give one of the two")
    if not key:
        raise Misuse("LIVE=1 needs a key: ANTHROPIC_API_KEY=sk-ant-… make demo LIVE=1")
    return Choices(file, Api(LIVE_URL, key), dialect, more)


def _parameters(text: str) -> dict[str, str]:
    """Read parameters of the template: `Auth=bearer LineForm=body`. Raises Misuse."""
    pairs = [pair.partition("=") for pair in shlex.split(text)]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise Misuse(f"PARAMETERS: {wrong} is not Name=value, as in PARAMETERS='Auth=bearer LineForm=body'")
    return {name: value for name, _, value in pairs}


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return url.rstrip("/")
    raise Misuse(
        f"API_URL={url}: it must be https://…; plain http:// is accepted for localhost, 127.0.0.1 and [::1] only"
    )


def demonstrate(chosen: Choices, console: Console) -> list[str]:
    """Run the demo; answers with the promises that were not kept."""
    start = time.monotonic()

    def announce(words: str) -> None:
        console.print(f"{time.monotonic() - start:6.1f} s  {words}", highlight=False)

    settings = {"seconds": SIMULATED_SECONDS, "outcomes": {} if chosen.file else TROUBLE}
    scale = REAL_SCALE if chosen.is_remote else SIMULATED_SCALE
    with local_stack(
        api=chosen.api,
        wait_scale=scale,
        provider_settings=settings,
        parameters=chosen.parameters,
        announce=announce,
    ) as stack:
        announce("ready")
        broken = [words for file in chosen.drops for words in _drop_and_return(stack, file, chosen, console)]
        broken += _paid_once(stack)
        if chosen.file is None and not broken:
            broken += _drop_and_refuse(stack, chosen, console)
        announce("stopping the local AWS")
    console.print(f"\nAll of it took {time.monotonic() - start:.0f} s, and nothing of it is left running.")
    return broken


def _drop_and_return(stack: Stack, file: Path, chosen: Choices, console: Console) -> list[str]:
    """Drop a file that is meant to go through."""
    if chosen.is_remote:
        console.print(f"\n{REMOTE}", markup=False, highlight=False, soft_wrap=True)
    outcome = _drop(stack, file, chosen, console)
    if outcome.message.status == "refused":
        _show_refusal(outcome, console)
        return [] if chosen.file else [f"{file.name} was refused"]
    _title(console, "The receipt")
    for name, value in outcome.receipt.items():
        _line(console, f"  {name:<19} {json.dumps(value, ensure_ascii=False)}")
    for kind in ("results", "failures"):
        for line in outcome.lines(f"{kind}.jsonl")[:1]:
            _title(console, f"The first of the {kind}")
            _line(console, f"  {json.dumps(line, ensure_ascii=False)}", WIDTH * 3)
    _show_files(outcome, console)
    requests = file.read_bytes().count(b"\n")
    expected = {line: words.partition(":")[0] for line, words in TROUBLE.items() if line <= requests}
    return list(broken_promises(file.read_bytes(), outcome, None if chosen.file or chosen.api else expected))


def _drop_and_refuse(stack: Stack, chosen: Choices, console: Console) -> list[str]:
    """Drop the file with mistakes."""
    outcome = _drop(stack, MISTAKES, chosen, console)
    if outcome.message.status != "refused":
        return [f"the drop with mistakes is {outcome.message.status}, not refused"]
    _show_refusal(outcome, console)
    broken = [] if outcome.lines("invalid.jsonl") else ["the refused drop has no list of faults"]
    return broken + _paid_once(stack)


def _paid_once(stack: Stack) -> list[str]:
    """Hold the simulated provider's own count of create calls against the plans; a real one cannot be asked."""
    plans = [key for key in stack.keys("runs/") if key.endswith("/plan.jsonl")]
    planned = sum(len(stack.lines(key)) - 1 for key in plans)  # the first line is about the drop
    creates = planned if stack.provider is None else stack.provider_stats()["calls"]["create"]
    told = f"the provider was asked {creates} times to create a batch, and {planned} were planned"
    return [] if creates == planned else [told]


def _drop(stack: Stack, file: Path, chosen: Choices, console: Console) -> Outcome:
    key = f"inbox/{file.name}"
    console.rule()
    console.print(
        f"Dropping {escape(str(file))} at s3://{stack.bucket}/{escape(key)}\n", highlight=False, soft_wrap=True
    )
    limit = REAL_LIMIT if chosen.is_remote else SIMULATED_LIMIT
    try:
        with Progress(console) as progress:
            message = watch(stack, key, stack.drop(file, key), limit, progress)
    except BaseException:
        if chosen.api is not None:
            _tell_what_goes_on(stack, chosen.api, chosen, console)
        raise
    outcome = collect(stack, message)
    _title(console, "The message")
    for line in (message.subject, "", *message.text.splitlines()):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if stack.provider is not None:
        console.print(f"\n{INVENTED}", highlight=False, soft_wrap=True)
    return outcome


def _tell_what_goes_on(stack: Stack, api: Api, chosen: Choices, console: Console) -> None:
    """Name the batches that a real server goes on with, which we leave before their end, and what to do with them."""
    is_bearer = chosen.parameters.get("Auth") == "bearer"
    key = "authorization: Bearer $ANTHROPIC_API_KEY" if is_bearer else "x-api-key: $ANTHROPIC_API_KEY"
    headers = f"-H 'anthropic-version: 2023-06-01' -H \"{key}\""
    path = "/v1/batches" if chosen.dialect == "files" else "/v1/messages/batches"
    for batch in (claim.removeprefix("claims/batches/") for claim in stack.keys("claims/batches/")):
        place = f"{api.url}{path}/{batch}"
        lines = [
            "",
            f"Batch {batch} continues at the provider and will be paid for. To cancel it:",
            f"  curl -X POST {headers} {place}/cancel",
        ]
        if chosen.dialect == "files":
            lines += [
                "To fetch its results when it has ended, see its output_file_id, and put that into the second command:",
                f"  curl {headers} {place}",
                f"  curl {headers} {api.url}/v1/files/<output_file_id>/content",
            ]
        else:
            lines += ["To fetch its results when it has ended:", f"  curl {headers} {place}/results"]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _show_refusal(outcome: Outcome, console: Console) -> None:
    faults = outcome.lines("invalid.jsonl")
    if faults:
        _title(console, f"The first of {len(faults):,} faults")
    for fault in faults[:5]:
        _line(console, f"  line {fault['line']}, {fault['code']}: {fault['message']}")
    _show_files(outcome, console)


def _show_files(outcome: Outcome, console: Console) -> None:
    _title(console, "The files, in the bucket and saved here")
    for key, path in outcome.save(SAVED).items():
        here = path.relative_to(ROOT)
        console.print(f"  {key}\n    {here}", markup=False, highlight=False, soft_wrap=True)


def _title(console: Console, words: str) -> None:
    console.print(f"\n[bold]{escape(words)}[/bold]")


def _line(console: Console, words: str, width: int = WIDTH) -> None:
    shortened = words if len(words) <= width else f"{words[: width - 1]}…"
    console.print(shortened, markup=False, highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo; answers with the exit code."""
    console = Console()
    try:
        with interruptible():
            broken = demonstrate(choices(os.environ), console)
    except Misuse as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (ProcessFailed, TimeoutError) as error:
        sys.stderr.write(f"The demo failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; nothing is left running here.\n")
        return 130
    for sentence in broken:
        sys.stderr.write(f"Not as promised: {sentence}.\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
