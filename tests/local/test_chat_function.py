"""The sample that posts to a chat: the webhook's address is in no error, and is read again after one.

Secrets Manager is imitated here, and the chat is a server of this machine.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.recipes.webhook import TOKEN, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = Path(__file__).parents[2] / "samples" / "chat"
EVENT = json.loads((SAMPLE / "event.json").read_text())
ADDRESS = f"https://hooks.invalid/services/{TOKEN}"


@dataclass
class Secrets:
    """Secrets Manager with one secret."""

    value: dict[str, str] | None = None

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - AWS's name
        """Return the secret. Raises ClientError if there is none."""
        if self.value is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": SecretId}}, "GetSecretValue")
        return self.value


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Return what the function reads the address from."""
    found = Secrets()
    monkeypatch.setattr(boto3, "client", lambda _service: found)
    monkeypatch.setenv("WEBHOOK_SECRET", "conveyor/chat-webhook")
    monkeypatch.setenv("STYLE", "slack")
    return found


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import the function as Lambda does: with its folder in the path."""
    monkeypatch.syspath_prepend(SAMPLE / "function")
    spec = importlib.util.spec_from_file_location("chat_function", SAMPLE / "function" / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["chat"]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it came from, shown or not."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def posted_in_vain(app: Any) -> str:
    """Return what an error says, which Lambda logs and keeps: with all errors that it came from."""
    with pytest.raises(app.NotPostedError) as raised:
        app.handler(EVENT, None)
    return "".join(f"{each!r} {''.join(traceback.format_exception_only(each))}" for each in chain(raised.value))


@pytest.mark.parametrize(
    "address",
    [
        f"{ADDRESS}\nsecond line",
        f"{ADDRESS} with a blank",
        f"{ADDRESS}\tx",
        f"https://hooks.invalid:{TOKEN}/services",
        f"https://hooks.invalid:99999/{TOKEN}",
        f"https://hooks.invalid:0/{TOKEN}",
        f"https://anna:{TOKEN}@hooks.invalid/services",
        f"https://[{TOKEN}/services",
        f"https:///services/{TOKEN}",
        f"https://hooks.invalid/ä/{TOKEN}",
        f"http://hooks.invalid/services/{TOKEN}",
        f"file:///{TOKEN}",
        TOKEN,
        "",
    ],
)
def test_a_secret_that_is_no_address_is_in_no_error(app: Any, secrets: Secrets, address: str) -> None:
    """It says that it is none, and what it should be."""
    secrets.value = {"SecretString": address}
    said = posted_in_vain(app)
    assert "the secret holds no https:// address" in said
    assert TOKEN not in said
    assert "hooks" not in said


def test_a_secret_without_a_text_is_no_address(app: Any, secrets: Secrets) -> None:
    """It was stored as bytes."""
    secrets.value = {}
    assert "the secret holds no https:// address" in posted_in_vain(app)


@pytest.mark.parametrize("host", [f"{'a' * 64}.invalid", "hooks..invalid", "hooks.invalid"])
def test_an_address_that_cannot_be_reached_is_in_no_error(app: Any, secrets: Secrets, host: str) -> None:
    """Whatever Python raises for it: only its type is named."""
    secrets.value = {"SecretString": f"https://{host}/services/{TOKEN}"}
    said = posted_in_vain(app)
    assert "it was not posted (" in said
    assert TOKEN not in said
    assert host not in said


def test_a_secret_that_may_not_be_read_says_why(app: Any, secrets: Secrets) -> None:
    """By the code of AWS."""
    assert "the secret was not read (AccessDeniedException)" in posted_in_vain(app)
    with webhook() as chat:
        secrets.value = {"SecretString": chat.address}
        app.handler(EVENT, None)
    assert len(chat.posted) == 1


def test_a_replaced_address_is_read_after_an_error(app: Any, secrets: Secrets) -> None:
    """Whether the chat answered with an error, with something that is no HTTP, or not at all."""
    with webhook() as chat:
        secrets.value = {"SecretString": chat.address}
        app.handler(EVENT, None)
        gone = f"{chat.address}-revoked"
        for wrong, problem in [(gone, "the chat answered 404"), (f"https{chat.address[4:]}", "it was not posted (")]:
            secrets.value = {"SecretString": wrong}
            chat.status = 500
            assert "the chat answered 500" in posted_in_vain(app)
            chat.status = 200
            assert problem in posted_in_vain(app)
            secrets.value = {"SecretString": f"{chat.address}\n"}
            app.handler(EVENT, None)
    assert len(chat.posted) == 6
