"""The sample that makes payloads for chats: within the limits that Slack and Teams document, whatever a name is.

https://docs.slack.dev/reference/block-kit/blocks and https://adaptivecards.io/explorer/AdaptiveCard.html
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from conveyor.report.message import notice_of
from conveyor.wording.console import Console
from tests.support.examples import RUN
from tests.support.receipts import EVERY
from tests.support.shell.messages import messages

if TYPE_CHECKING:
    from conveyor.wording.notice import Notice

type Json = dict[str, Any]

SAMPLE = Path(__file__).parents[2] / "samples" / "chat" / "function" / "chat.py"
ARN = "arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1"
RUN_ID = "20261124T081502Z-5c1e7a90b3d4"
REPORT, WATCH = f"conveyor report {RUN_ID}", f"conveyor watch {RUN_ID}"
NAMED_BY_A_STRANGER = "conveyor prepare 'inbox/p/a`;touch PWNED;`b.csv' --template prompt.md"
TYPED = st.text(st.sampled_from("ab-'\"\\`;$&<>*_~[](){}|# \n\u202e\u00e4"), min_size=1, max_size=20)
HOSTILE = "<!channel> & <@U1|x> [a](https://evil.test) *b* `c`"


def sample() -> Any:
    """Import the sample, which is no module of ours."""
    spec = importlib.util.spec_from_file_location("chat", SAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHAT = sample()
NOTICES: dict[str, Notice] = {
    **{name: notice_of(receipt, Console.of(ARN)) for name, receipt in EVERY.items()},
    **dict(messages(RUN)),
    "hostile": notice_of(replace(EVERY["some failed"], name=HOSTILE), Console.of(ARN)),
    "long": notice_of(replace(EVERY["refused by the provider"], reason="<&>" * 4_000), Console.of(ARN)),
}


def body_of(name: str) -> Json:
    """Return a body as a function gets it."""
    text = json.dumps(to_builtins(NOTICES[name].data))
    (body,) = CHAT.bodies({"Records": [{"Sns": {"Message": text, "Subject": NOTICES[name].subject}}]})
    found: Json = body
    return found


def texts(value: Any) -> list[str]:
    """Return all texts of a payload."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", NOTICES)
def test_a_payload_of_slack_keeps_the_limits_of_block_kit(name: str) -> None:
    """At most 50 blocks, texts of 3,000 characters, ten fields of 2,000; the text of the notification is not empty."""
    payload = CHAT.slack(body_of(name))
    assert payload["text"]
    assert 2 <= len(payload["blocks"]) <= 50
    for block in payload["blocks"]:
        match block:
            case {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}:
                assert 0 < len(text) <= 3_000
            case {"type": "section", "fields": fields}:
                assert 0 < len(fields) <= 10
                assert all(0 < len(field["text"]) <= 2_000 and field["type"] == "mrkdwn" for field in fields)
                assert all(field["verbatim"] for field in fields)
            case {"type": "actions", "elements": [{"type": "button", "text": label, "url": url}]}:
                assert label["type"] == "plain_text"
                assert len(label["text"]) <= 75
                assert url.startswith("https://")
                assert len(url) <= 3_000
            case {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}:
                assert 0 < len(text) <= 3_000
            case other:
                raise AssertionError(f"no such block: {other}")


def test_a_name_can_mention_nobody_and_link_nowhere_in_slack() -> None:
    """The name is chosen by the person who drops the file."""
    said = texts(CHAT.slack(body_of("hostile")))
    assert any("&lt;!channel&gt; &amp;" in text for text in said)
    assert not any("<" in text or ">" in text for text in said)


@pytest.mark.parametrize("name", NOTICES)
def test_a_payload_of_teams_is_one_adaptive_card(name: str) -> None:
    """Version 1.5, of elements that it knows, and below the 28 KB that Teams takes."""
    payload = CHAT.teams(body_of(name))
    (attachment,) = payload["attachments"]
    card = attachment["content"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    assert {each["type"] for each in card["body"]} <= {"TextBlock", "RichTextBlock", "FactSet"}
    assert all(each["text"] for each in card["body"] if each["type"] == "TextBlock")
    assert all(action["url"].startswith("https://") for action in card["actions"])
    assert len(json.dumps(payload)) < 28_000


def test_a_name_links_nowhere_in_teams() -> None:
    """Its texts are Markdown."""
    assert not any("](https" in text for text in texts(CHAT.teams(body_of("hostile"))))


def test_the_summary_in_teams_is_plain_text() -> None:
    """It is shown in notifications, which know no Markdown."""
    body = body_of("hostile")
    assert CHAT.teams(body)["summary"] == f"Look: {body['subject'].removeprefix('Conveyor: ')}"
    assert "\\" not in CHAT.teams(body)["summary"]


def commands_of(payload: Json) -> list[str]:
    """Return the commands that a chat shows, as a person copies them."""
    if "blocks" in payload:
        marked = [each for text in texts(payload) for each in re.findall("```(.*)```", text, re.DOTALL)]
        return [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in marked]
    card = payload["attachments"][0]["content"]["body"]
    return [run["text"] for block in card if block["type"] == "RichTextBlock" for run in block["inlines"]]


def with_command(command: str, event: str = "ended", words: str = "Do this") -> Json:
    """Return a body whose first step has this command."""
    return {**body_of("refused by the provider"), "event": event, "run": RUN_ID, "steps": [
        {"words": words, "command": command}, {"words": "Drop it", "command": "conveyor drop requests.jsonl"}
    ]}  # fmt: skip


@pytest.mark.parametrize("style", [CHAT.slack, CHAT.teams])
@given(command=st.text(min_size=1) | TYPED | TYPED.map(lambda typed: typed * 200), words=TYPED)
@example(command=NAMED_BY_A_STRANGER, words="Do this")
@example(command="conveyor fetch " + "&" * 590, words="&" * 500)
def test_a_command_is_shown_to_the_last_character_or_not_at_all(style: Any, command: str, words: str) -> None:
    """A person pastes it into a shell: with another character in it, a quoted name would be a command."""
    (shown,) = commands_of(style(with_command(command, words=words)))
    assert shown in {command, REPORT}
    if shown == command:
        assert shown.isprintable()
        assert "`" not in shown


@pytest.mark.parametrize("style", [CHAT.slack, CHAT.teams])
@pytest.mark.parametrize("name", NOTICES)
def test_a_command_that_a_chat_shows_is_one_of_the_message(style: Any, name: str) -> None:
    """The first one; for those that a chat may alter, the command that shows it."""
    body = body_of(name)
    first = [step["command"] for step in body["steps"] if step["command"]][:1]
    assert commands_of(style(body)) in [first, [f"conveyor report {body['run']}"]]


@pytest.mark.parametrize("style", [CHAT.slack, CHAT.teams])
@pytest.mark.parametrize(
    "command",
    [
        NAMED_BY_A_STRANGER,
        f"conveyor prepare {'a' * 3_000}.csv",
        "conveyor prepare 'a\u202evsc.exe'",
        "conveyor prepare 'a  b.csv'",
        "conveyor prepare '{{DATE(2026-11-30T00:00:00Z)}}.csv'",
    ],
)
def test_what_a_chat_would_alter_is_shown_by_the_command_that_has_it(style: Any, command: str) -> None:
    """A backtick ends a block of code, blanks are joined, braces are replaced, and what is not seen is not checked."""
    assert commands_of(style(with_command(command))) == [REPORT]
    assert commands_of(style(with_command(command, "held"))) == [WATCH], "a run under way has no report"


@pytest.mark.parametrize("style", [CHAT.slack, CHAT.teams])
def test_usual_commands_are_shown(style: Any) -> None:
    """With markup of both chats in it, which is part of the command."""
    command = "conveyor prepare 'R&D *a_b* <1>.csv' --template prompt.md -o ~/größe.jsonl && cat [a](b) > c"
    assert commands_of(style(with_command(command))) == [command]


@pytest.mark.parametrize("style", [CHAT.slack, CHAT.teams])
def test_a_text_that_is_cut_says_so(style: Any) -> None:
    """With an ellipsis."""
    body = {**body_of("some failed"), "second": "a" * 4_000}
    assert any(text.endswith("a…") for text in texts(style(body)))


def test_a_message_without_a_body_is_shown_as_it_is() -> None:
    """An alarm has none."""
    (body,) = CHAT.bodies({"Records": [{"Sns": {"Message": '{"AlarmName": "x"}', "Subject": "ALARM: x"}}]})
    assert body["first"] == "ALARM: x"
    assert CHAT.slack(body)["blocks"]
    assert CHAT.teams(body)["attachments"]


def test_amounts_are_those_of_the_message() -> None:
    """Four decimals below ten cents; what it costs at most is rounded up."""
    body = body_of("some failed")
    body["cost"] = {"cost_usd": "0.02396", "forecast_usd": "0.00002", "at_most_usd": "0.4741", "complete": False}
    shown = dict(CHAT.facts(body))
    assert (shown["Cost"], shown["Forecast"], shown["At most"]) == ("at least $0.0240", "less than $0.0001", "$0.48")


def test_the_message_to_try_is_one_of_ours() -> None:
    """With all of the fields that a message has."""
    event = json.loads((SAMPLE.parents[1] / "event.json").read_text())
    (body,) = CHAT.bodies(event)
    assert body.keys() == body_of("some failed").keys()
