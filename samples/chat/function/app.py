"""The function that posts messages of Conveyor to a chat: see docs/recipes/slack.md.

The webhook's address is a secret: it is read at the first message, kept in memory, and never logged. An error that
could name it is replaced by one that does not.
"""

import json
import os
import re
import sys
import urllib.request
from functools import cache
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import boto3
import chat
from botocore.exceptions import ClientError

LOOPBACK = {"localhost", "127.0.0.1"}
SECONDS = 10
PRINTABLE = re.compile("[!-~]+")
"""ASCII without blanks."""


class NotPostedError(Exception):
    """The chat did not take a message. Lambda tries again, and then keeps the message in the queue."""


def handler(event: dict[str, Any], _context: object) -> None:
    """Post each message of an event of SNS. Raises NotPostedError."""
    for body in chat.bodies(event):
        _post(chat.STYLES[os.environ["STYLE"]](body))
        sys.stdout.write(json.dumps({"message": "posted", "run": body["run"], "event": body.get("event")}) + "\n")


def _post(payload: dict[str, Any]) -> None:
    if problem := _problem_of_posting(payload):
        _address.cache_clear()  # it may have been replaced
        raise NotPostedError(problem)  # here, where no error that names the address is its cause or context


def _problem_of_posting(payload: dict[str, Any]) -> str:
    """Post it, and return why that failed, without a part of the address; empty if it was posted."""
    try:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            _address(), json.dumps(payload).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return ""
    except NotPostedError as error:
        return str(error)
    except HTTPError as error:
        return f"the chat answered {error.code}"
    except ClientError as error:
        return f"the secret was not read ({error.response['Error']['Code']})"
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may have the address
        return f"it was not posted ({type(error).__name__})"


@cache
def _address() -> str:
    """Return the webhook's address. Raises NotPostedError if it is none over TLS."""
    secrets = boto3.client("secretsmanager")
    found = secrets.get_secret_value(SecretId=os.environ["WEBHOOK_SECRET"])
    address: str = found.get("SecretString", "").strip()
    if not _is_address(address):
        raise NotPostedError("the secret holds no https:// address, or something else beside it")
    return address


def _is_address(text: str) -> bool:
    """Tell whether it is one line of printable ASCII without blanks: https, a host, and a port if any."""
    try:
        parts = urlsplit(text)
        is_whole = parts.hostname and parts.port != 0 and parts.username is None and PRINTABLE.fullmatch(text)
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return bool(is_whole) and is_safe
