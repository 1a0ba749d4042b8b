"""The free call of `submit` that says whether the provider accepts the credential, for `conveyor doctor`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conveyor.submit.check_provider import check_provider, is_check
from local.provider.control import Control
from tests.functions.conftest import API_KEY, Services
from tests.support.belt import Belt
from tests.support.settings import STACK_SETTINGS

SECRET = STACK_SETTINGS["API_KEY_SECRET"]
WORDS = "Your prompt about Anna Example and the key sk-ant-quoted"


@pytest.fixture(params=["messages", "files"], autouse=True)
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Play each test with each batch API."""
    return STACK_SETTINGS | {"BATCH_API": request.param}


@pytest.fixture
def changed_secret(services: Services) -> Iterator[Services]:
    """Put the key back that all tests share."""
    yield services
    services.secrets.put_secret_value(SecretId=SECRET, SecretString=API_KEY)


def test_a_credential_that_is_accepted_costs_one_listing(belt: Belt, provider: Control) -> None:
    """Nothing is created, and so nothing is paid for."""
    assert check_provider(belt.clients) == {"provider": "accepted", "status": 200, "cause": None}
    calls = provider.stats()["calls"]
    assert (calls.get("list"), calls.get("create", 0), calls.get("upload", 0)) == (1, 0, 0)


def test_a_key_that_is_refused_is_named_by_status_and_cause(belt: Belt, changed_secret: Services) -> None:
    """The key that was read before is not taken for the one of now."""
    assert check_provider(belt.clients)["provider"] == "accepted"
    changed_secret.secrets.put_secret_value(SecretId=SECRET, SecretString="sk-ant-another")
    assert check_provider(belt.clients) == {"provider": "refused", "status": 401, "cause": "key-refused"}


@pytest.mark.parametrize(
    ("status", "message", "kind", "cause"),
    [
        (403, WORDS, "refused", None),
        (404, WORDS, "refused", None),
        (400, "Your credit balance is too low to access the API", "refused", "credit-exhausted"),
        (429, WORDS, "busy", None),
        (503, WORDS, "busy", None),
        (529, WORDS, "busy", None),
    ],
)
def test_an_error_says_its_status_and_no_word_of_the_provider(  # noqa: PLR0913, PLR0917 # two columns are fixtures
    belt: Belt, provider: Control, status: int, message: str, kind: str, cause: str | None
) -> None:
    """Its text may quote anything."""
    answer = {"kind": "answer", "status": status, "message": message, "type": "any_error"}
    provider.fail("list", answer, times=None)
    checked = check_provider(belt.clients)
    assert checked == {"provider": kind, "status": status, "cause": cause}
    assert "Anna" not in json.dumps(checked)


def test_a_provider_that_does_not_answer_is_unreachable(belt: Belt, provider: Control) -> None:
    """The reason is a name, whose words are in `wording/trouble.py`."""
    provider.fail("list", {"kind": "lose", "when": "before"}, times=None)
    assert check_provider(belt.clients) == {"provider": "unreachable", "reason": "RemoteProtocolError"}


@pytest.mark.parametrize("text", ['{"key": "sk-ant-hidden"}', " "], ids=["JSON", "blank"])
def test_a_secret_that_is_no_key_is_named_without_what_it_holds(
    belt: Belt, changed_secret: Services, text: str
) -> None:
    """No call is made."""
    changed_secret.secrets.put_secret_value(SecretId=SECRET, SecretString=text)
    checked = check_provider(belt.clients)
    assert checked["provider"] == "no-credential"
    assert SECRET in checked["reason"]
    assert "sk-ant" not in checked["reason"]


def test_only_its_own_event_asks_for_it() -> None:
    """Uploads and runs go on as before."""
    assert is_check({"check": "provider"})
    others: list[dict[str, Any]] = [{}, {"run": "r"}, {"check": "another"}, {"detail": {"check": "provider"}}]
    assert not any(map(is_check, others))
