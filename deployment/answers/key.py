"""The provider's key: looks whether its secret exists, and creates it from what is typed at a hidden prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployment.answers.checks import key_fault
from deployment.aws import secret
from deployment.aws.secret import Found
from deployment.trouble import Trouble, misused

if TYPE_CHECKING:
    from deployment.aws.account import Account
    from deployment.screen import Screen


def provide(screen: Screen, account: Account, name: str) -> None:
    """See that the secret exists, and create it if it does not. Raises Trouble where that is a person's task."""
    found = secret.look(account.secrets, name)
    place = f"--region {account.region} --secret-id {name}"
    if found is Found.EXISTS:
        screen.line(f"Key: the secret {name} exists. It is not read here.")
    elif found is Found.UNSEEN:
        screen.line(f"Key: you may not look whether the secret {name} exists (secretsmanager:DescribeSecret).")
    elif found is Found.DELETED:
        raise Trouble(
            f"The secret {name} is scheduled for deletion. Restore it, or choose another name:",
            commands=(f"aws secretsmanager restore-secret {place}",),
        )
    elif screen.has_terminal:
        _create(screen, account, name)
    else:
        raise misused(
            f"There is no secret {name} in {account.region}. Put the key into a file, then create the secret:",
            commands=(
                f"aws secretsmanager create-secret --region {account.region} --name {name} --secret-string file://key.txt",
            ),
        )


def _create(screen: Screen, account: Account, name: str) -> None:
    screen.line(f"There is no secret {name} in {account.region} yet. It is created now, with the key that you type.")
    key = screen.hidden("     The provider's key (it is not shown)", key_fault)
    secret.create(account.secrets, name, key)
    screen.line(f"Key: the secret {name} is created.")
