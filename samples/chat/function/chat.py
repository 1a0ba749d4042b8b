"""Payloads for Slack and Microsoft Teams, from the JSON body of a message alone. For a function that subscribes.

Python's standard library is enough. See docs/messages.md for the shapes. A text that is too long for a chat is cut. A
command is shown to the last character or not at all: a person pastes it into a shell.
To see a payload: python3 chat.py slack event.json
"""

import json
import sys
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

Json = dict[str, Any]

LONGEST = 3_000
"""Characters of a text in a block of Slack, after escaping."""
LONGEST_FIELD = 2_000
LONGEST_TEXT = LONGEST // 6
"""Characters of a text before escaping, of which two fit into a block of Slack."""
ALTERED = ("`", "  ", "{{")
"""What ends a block of code, is joined to one blank, or is replaced by a date."""
SMALLEST, FOUR_DIGITS_BELOW = Decimal("0.0001"), Decimal("0.1")
MARKS = {"nobody": "", "user": "Look: ", "approver": "Approve: ", "operator": "Repair: "}


def bodies(event: Json) -> list[Json]:
    """Return the messages in the event with which SNS invokes a function.

    Alarms and the message about a failed execution have no JSON body; they become one with their text.
    """
    return [_body(record["Sns"]) for record in event["Records"]]


def slack(body: Json) -> Json:
    """Return what an incoming webhook of Slack takes. No button approves: a click in a chat is nobody's identity."""
    first = {"type": "section", "text": _mrkdwn(f"*{_escaped(body['first'])}*\n{_escaped(body['second'])}")}
    fields = [_mrkdwn(f"*{_escaped(name)}*\n{_escaped(text)}", LONGEST_FIELD) for name, text in facts(body)]
    blocks = [first, *([{"type": "section", "fields": fields[:10]}] if fields else [])]
    if todo := _todo(body, _in_slack):
        blocks.append({"type": "section", "text": _mrkdwn(_in_slack(*todo))})
    if body["link"]:
        button = {"type": "button", "text": {"type": "plain_text", "text": _opens(body)}, "url": body["link"]}
        blocks.append({"type": "actions", "elements": [button]})
    whose = f"project {_escaped(body['project'])} · run {_escaped(body['run'])}"
    blocks.append({"type": "context", "elements": [_mrkdwn(whose)]})
    return {"text": _escaped(_title(body))[:LONGEST], "blocks": blocks}


def teams(body: Json) -> Json:
    """Return what a workflow of Teams takes: one Adaptive Card 1.5."""
    card: list[Json] = [
        {"type": "TextBlock", "text": _plain(body["first"]), "weight": "Bolder", "wrap": True},
        *([{"type": "TextBlock", "text": _plain(body["second"]), "wrap": True}] if body["second"] else []),
        {"type": "FactSet", "facts": [{"title": name, "value": _plain(text)} for name, text in facts(body)]},
    ]
    if todo := _todo(body, _in_teams):
        words, command = todo
        card.append({"type": "TextBlock", "text": _plain(words), "wrap": True})
        run = {"type": "TextRun", "text": command, "fontType": "Monospace"}  # knows no Markdown
        card.append({"type": "RichTextBlock", "inlines": [run]})
    card.append({"type": "TextBlock", "text": _plain(f"{body['project']}, {body['run']}"), "isSubtle": True})
    actions = [{"type": "Action.OpenUrl", "title": _opens(body), "url": body["link"]}] if body["link"] else []
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": card,
        "actions": actions,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": content}
    return {"type": "message", "summary": _cut(_title(body), LONGEST), "attachments": [attachment]}


def facts(body: Json) -> list[tuple[str, str]]:
    """Return the figures that a chat shows, each with its name."""
    cost, hold = body["cost"], body["hold"] or {}
    rows = [
        ("Cost", _usd(cost["cost_usd"], "" if cost["complete"] else "at least ")),
        ("Forecast", _usd(cost["forecast_usd"])),
        ("At most", _usd(cost["at_most_usd"], rounding=ROUND_CEILING)),
        ("Answered", _count(body["results"])),
        ("Cut off", _count(body["cut_off"])),
        ("Failed", _count(body["failures"])),
        ("Can be sent again", _count(body["retryable"])),
        ("Declined without an approval", hold.get("declined_at") or ""),
    ]
    return [(name, text) for name, text in rows if text]


def _body(sns: Json) -> Json:
    try:
        body = json.loads(sns["Message"])
    except ValueError:
        body = None
    if isinstance(body, dict) and "event" in body:
        return body
    return {
        "first": sns.get("Subject") or "A message of AWS",
        "second": sns["Message"],
        "subject": sns.get("Subject") or "",
        "steps": [], "link": None, "project": "", "run": "", "needs": "operator", "hold": None,
        "cost": {"cost_usd": None, "forecast_usd": None, "at_most_usd": None, "complete": False},
        "results": None, "cut_off": None, "failures": None, "retryable": None,
    }  # fmt: skip


def _title(body: Json) -> str:
    return MARKS[body["needs"]] + body["subject"].removeprefix("Conveyor: ")


def _opens(body: Json) -> str:
    return "Open the report" if body.get("event") == "ended" else "Open the run"


def _todo(body: Json, shown: Callable[[str, str], str]) -> tuple[str, str] | None:
    """Return the first command with its words, or the command that shows it if the chat would alter or cut it.

    `shown`: how the chat gets both, which tells whether they are too long.
    """
    todo = next(((step["words"], step["command"]) for step in body["steps"] if step["command"]), None)
    if not todo:
        return None
    command = todo[1]
    is_altered = not command.isprintable() or command != command.strip() or any(each in command for each in ALTERED)
    if is_altered or len(shown(*todo)) > LONGEST:
        look = "report" if body.get("event") == "ended" else "watch"
        return "The command is not shown here, where it could be altered. To see it", f"conveyor {look} {body['run']}"
    return todo


def _in_slack(words: str, command: str) -> str:
    return f"{_escaped(words)}:\n```{_entities(command)}```"


def _in_teams(_words: str, command: str) -> str:
    return json.dumps(command)


def _usd(amount: str | None, prefix: str = "", rounding: str = ROUND_HALF_UP) -> str:
    """Return an amount as the message has it: with two decimals, or four below $0.10."""
    if amount is None:
        return ""
    exact = Decimal(amount)
    if 0 < exact < SMALLEST:
        return f"less than ${SMALLEST}"
    digits = SMALLEST if 0 < exact < FOUR_DIGITS_BELOW else Decimal("0.01")
    return f"{prefix}${exact.quantize(digits, rounding):,f}"


def _count(number: int | None) -> str:
    return f"{number:,}" if number else ""


def _mrkdwn(text: str, longest: int = LONGEST) -> Json:
    return {"type": "mrkdwn", "text": text[:longest], "verbatim": True}


def _escaped(text: str) -> str:
    """Return a text, no command, that can mention nobody, link nowhere, and begin no code in Slack."""
    return _entities(_cut(text.replace("`", "'"), LONGEST_TEXT))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """Return a text without what Teams reads as Markdown: links, emphasis, and lists."""
    return "".join(f"\\{character}" if character in "\\*_[]()~`#" else character for character in _cut(text, LONGEST))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


STYLES = {"slack": slack, "teams": teams}
"""Functions that make a payload, by the chat."""

if __name__ == "__main__":
    for each in bodies(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))):
        sys.stdout.write(json.dumps(STYLES[sys.argv[1]](each), indent=2, ensure_ascii=False) + "\n")
