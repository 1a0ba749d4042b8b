"""The function that posts messages of Conveyor to a chat: see docs/recipes/slack.md.

The webhook's address is a secret: it is read at the first message, kept in memory, and never logged. Errors that would
name it are replaced by one that does not.
"""

import json
import os
import sys
import urllib.request
from functools import cache
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import boto3
import chat

LOOPBACK = {"localhost", "127.0.0.1"}
SECONDS = 10


class NotPostedError(Exception):
    """The chat did not take a message. Lambda tries again, and then keeps the message in the queue."""


def handler(event: dict[str, Any], _context: object) -> None:
    """Post each message of an event of SNS. Raises NotPostedError."""
    for body in chat.bodies(event):
        _post(chat.STYLES[os.environ["STYLE"]](body))
        sys.stdout.write(json.dumps({"message": "posted", "run": body["run"], "event": body.get("event")}) + "\n")


def _post(payload: dict[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        _address(), json.dumps(payload).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return
    except HTTPError as error:
        problem = f"the chat answered {error.code}"
    except OSError as error:
        problem = f"the chat did not answer ({type(error).__name__})"
    _address.cache_clear()  # it may have been replaced
    raise NotPostedError(problem)


@cache
def _address() -> str:
    """Return the webhook's address. Raises NotPostedError if it is none over TLS."""
    secrets = boto3.client("secretsmanager")
    address: str = secrets.get_secret_value(SecretId=os.environ["WEBHOOK_SECRET"])["SecretString"].strip()
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise NotPostedError("the secret holds no https:// address")
    return address
