"""Messages with a text for each protocol, and mail.

MiniStack takes a message that is no JSON for one text for all protocols; SNS refuses it, and one without `default`.
And MiniStack sends no mail: what a person would read cannot be seen. Here the mail to `<name>@sqs.local` goes into the
queue `<name>`, as the envelope of a queue, with the text that SNS would send.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import sns

type Json = dict[str, Any]

MAIL_DOMAIN = "@sqs.local"

fanout = sns._fanout
publish_internal = sns.publish_internal


def patch() -> None:
    """Apply the patches."""
    sns._fanout = _fanout
    sns.publish_internal = _publish


def _publish(topic_arn: str, message: Any, subject: str = "", **more: Any) -> Any:  # noqa: ANN401 - MiniStack's own
    if more.get("message_structure") == "json" and (problem := _problem(message)):
        raise sns.SnsPublishError("InvalidParameter", f"Invalid parameter: Message Structure - {problem}")
    return publish_internal(topic_arn, message, subject, **more)


def _problem(message: object) -> str | None:
    """Return what SNS does not accept of texts for protocols."""
    try:
        texts = json.loads(str(message))
    except ValueError:
        return "JSON message body failed to parse"
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        return "No default entry in JSON message body"
    return None if all(isinstance(text, str) for text in texts.values()) else "values must be strings"


def _fanout(topic_arn: str, msg_id: str, message: str, subject: str, *more: Any, **named: Any) -> None:  # noqa: ANN401
    fanout(topic_arn, msg_id, message, subject, *more, **named)
    structure = named.get("message_structure") or (more[0] if more else "")
    attributes = named.get("message_attributes") or (more[1] if len(more) > 1 else None) or {}
    text = sns._resolve_message_for_protocol(message, structure, "email")
    for subscription in sns._topics[topic_arn]["subscriptions"]:
        endpoint = subscription["endpoint"]
        if subscription["protocol"] != "email" or not endpoint.endswith(MAIL_DOMAIN):
            continue
        if sns._matches_filter_policy(subscription, attributes, text):
            queue = f"arn:aws:sqs:{get_region()}:{get_account_id()}:{endpoint.removesuffix(MAIL_DOMAIN)}"
            envelope = sns._build_envelope(topic_arn, msg_id, text, subject, attributes, False)  # noqa: FBT003
            sns._deliver_to_sqs(queue, envelope, False, text, topic_arn=topic_arn)  # noqa: FBT003
