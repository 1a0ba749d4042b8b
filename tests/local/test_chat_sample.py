"""The sample that makes payloads for chats: within the limits that Slack and Teams document, whatever a name is.

https://docs.slack.dev/reference/block-kit/blocks and https://adaptivecards.io/explorer/AdaptiveCard.html
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
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
            case {"type": "section", "text": {"type": "mrkdwn", "text": text}}:
                assert 0 < len(text) <= 3_000
            case {"type": "section", "fields": fields}:
                assert 0 < len(fields) <= 10
                assert all(0 < len(field["text"]) <= 2_000 and field["type"] == "mrkdwn" for field in fields)
            case {"type": "actions", "elements": [{"type": "button", "text": label, "url": url}]}:
                assert label["type"] == "plain_text"
                assert len(label["text"]) <= 75
                assert url.startswith("https://")
                assert len(url) <= 3_000
            case {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}:
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
    assert {each["type"] for each in card["body"]} <= {"TextBlock", "FactSet"}
    assert all(each["text"] for each in card["body"] if each["type"] == "TextBlock")
    assert all(action["url"].startswith("https://") for action in card["actions"])
    assert len(json.dumps(payload)) < 28_000


def test_a_name_links_nowhere_in_teams() -> None:
    """Its texts are Markdown."""
    assert not any("](https" in text for text in texts(CHAT.teams(body_of("hostile"))))


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
