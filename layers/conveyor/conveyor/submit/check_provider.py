"""A free call to the provider with the settings of the stack, which shows whether it accepts the credential."""

from typing import Any

from conveyor.clients import Clients
from conveyor.provider.protocol import CredentialsUnusable, Trouble

CHECK = "check"
"""The key of an event that asks for it; its value says what is checked."""
PROVIDER = "provider"


def is_check(event: dict[str, Any]) -> bool:
    """Return whether an event asks for the check, and is about no run."""
    return event.get(CHECK) == PROVIDER


def check_provider(clients: Clients) -> dict[str, Any]:
    """Return what the provider answers: a kind, a status, a cause. There is no secret, and no text of the provider.

    The credential is read again before the call: the one that this process has kept may have been replaced.
    """
    api = clients.connector.api(clients.settings)
    try:
        api.renew()
        answer = api.check()
    except CredentialsUnusable as error:
        return {PROVIDER: "no-credential", "reason": str(error)}
    if isinstance(answer, Trouble):
        return {PROVIDER: "unreachable", "reason": answer.reason}
    return {PROVIDER: answer.kind, "status": answer.status, "cause": answer.cause}
