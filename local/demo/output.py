"""What the demo prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.markup import escape

from local.choices import MESSAGES

if TYPE_CHECKING:
    from rich.console import Console

    from local.choices import Choices
    from local.demo.outcome import Outcome
    from local.stack.messages import Message
    from local.stack.start import Api

MAX_WIDTH = 160  # characters of a printed line of JSON
REMOTE_NOTICE = (
    "This uses a real API: it takes minutes to hours, and every request that succeeds is charged.\n"
    "Leave it running: the results are collected here, until it ends. If you interrupt it, the batches continue at\n"
    "the provider; it then prints the commands that fetch their results or cancel them."
)
SIMULATED_NOTICE = "The provider is simulated: the tokens and the cost above are invented, and nothing was charged."


def print_message(console: Console, message: Message) -> None:
    """Print a message."""
    print_title(console, "The message")
    for line in (message.subject, "", *message.text_here.splitlines()):
        print_text(console, f"  {line}")


def print_results(console: Console, outcome: Outcome) -> None:
    """Print the first result and the first failure."""
    for kind in ("results", "failures"):
        for line in outcome.lines(f"{kind}.jsonl")[:1]:
            print_title(console, f"The first of the {kind}")
            _print_line(console, f"  {json.dumps(line, ensure_ascii=False)}", MAX_WIDTH * 3)


def print_end(console: Console, outcome: Outcome, folder: str) -> None:
    """Print the verdict of a run once more, as the last thing, and where its page is. `folder`: as it is typed."""
    verdict, _, _ = outcome.message.text.partition("\n\n")
    print_text(console, f"\n{' '.join(verdict.split())}")
    print_text(console, f"Its report, to open in a browser: {folder}/report.html")


def print_running_batches(console: Console, batches: list[str], api: Api, choices: Choices) -> None:
    """Print which batches continue at a real server, and the commands to cancel them or to fetch their results."""
    is_bearer = choices.parameters.get("Auth") == "bearer"
    key = "authorization: Bearer $ANTHROPIC_API_KEY" if is_bearer else "x-api-key: $ANTHROPIC_API_KEY"
    curl = f"curl -H 'anthropic-version: 2023-06-01' -H \"{key}\""
    path = "/v1/messages/batches" if choices.batch_api == MESSAGES else "/v1/batches"
    for batch in batches:
        url = f"{api.url}{path}/{batch}"
        lines = [
            "",
            f"Batch {batch} continues at the provider and will be charged. To cancel it:",
            f"  {curl} -X POST {url}/cancel",
        ]
        if choices.batch_api != MESSAGES:
            lines += [
                "To fetch its results when it has ended, read its output_file_id, and put it into the second command:",
                f"  {curl} {url}",
                f"  {curl} {api.url}/v1/files/<output_file_id>/content",
            ]
        else:
            lines += ["To fetch its results when it has ended:", f"  {curl} {url}/results"]
        print_text(console, "\n".join(lines))


def print_title(console: Console, title: str) -> None:
    """Print a title, after an empty line."""
    console.print(f"\n[bold]{escape(title)}[/bold]")


def print_text(console: Console, text: str) -> None:
    """Print text unchanged: without markup, colours or line breaks."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _print_line(console: Console, line: str, width: int = MAX_WIDTH) -> None:
    print_text(console, line if len(line) <= width else f"{line[: width - 1]}…")
