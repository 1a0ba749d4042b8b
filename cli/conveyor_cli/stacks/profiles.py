"""The stacks that a person has chosen, kept in the user's configuration directory. No secret is among it."""

from contextlib import suppress
from pathlib import Path

import click
import msgspec

from conveyor_cli.trouble import Trouble

FILE = "stacks.json"


class Profile(msgspec.Struct, frozen=True):
    """A stack, as it was found."""

    stack: str
    region: str
    account: str
    outputs: dict[str, str]
    parameters: dict[str, str] = {}
    """Of the template. What the stack hides of them is asterisks."""
    stack_id: str = ""
    aws_profile: str | None = None
    """The AWS profile that was in force then."""


class Profiles(msgspec.Struct):
    """All stacks that were chosen on this machine."""

    in_use: str | None = None
    stacks: dict[str, Profile] = {}

    @property
    def current(self) -> Profile | None:
        """The stack in use."""
        return self.stacks.get(self.in_use or "")


def place() -> Path:
    """Return the path of the file, as the system has it: `$XDG_CONFIG_HOME/conveyor/stacks.json` on Linux."""
    return Path(click.get_app_dir("conveyor")) / FILE


def read() -> Profiles:
    """Return the stacks that were chosen; none if there is no file. Raises Trouble if it cannot be read."""
    file = place()
    try:
        return msgspec.json.decode(file.read_bytes(), type=Profiles)
    except FileNotFoundError:
        return Profiles()
    except (OSError, msgspec.MsgspecError) as error:
        raise Trouble(
            "profile-unreadable",
            f"{file} cannot be read ({type(error).__name__})",
            "It holds the stacks that you have chosen. Remove it, and choose the stack once more.",
            commands=("conveyor use STACK --region REGION",),
        ) from error


def use(profile: Profile) -> Path:
    """Keep a stack, and use it from now on; return the path of the file. Raises Trouble if it cannot be written."""
    profiles = read()
    kept = Profiles(profile.stack, profiles.stacks | {profile.stack: profile})
    file = place()
    new = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
        new.replace(file)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise Trouble("profile-unwritable", f"{file} cannot be written ({type(error).__name__})") from error
    return file
