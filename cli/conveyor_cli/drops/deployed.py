"""What a stack would make of a drop: its settings, by its parameters, and the limits and prices under `config/`."""

from typing import NamedTuple

import msgspec

from conveyor import __version__
from conveyor.config import Config, read_config
from conveyor.provider.protocol import dialect_of
from conveyor.settings.budgets import Budgets
from conveyor.settings.former import current_parameters
from conveyor.settings.settings import Settings
from conveyor.settings.tuning import BadTuning
from conveyor_cli.aws.errors import explained
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.stacks.profiles import Profile
from conveyor_cli.trouble import Trouble

_ADDRESS = "https://api.anthropic.com"


class Note(NamedTuple):
    """What a person should know before a file is judged."""

    code: str
    message: str
    """One line without a full stop."""
    more: str = ""


class Known(NamedTuple):
    """What is known of a stack at a desk."""

    settings: Settings
    config: Config
    notes: tuple[Note, ...]


def known_of(stack: ChosenStack) -> Known:
    """Return what a stack would judge a drop by. Raises Trouble. `stack`: as it is deployed now."""
    notes = [note for note in (release_note(stack.profile),) if note]
    with explained():
        config = read_config(stack.bucket)
    if config.refused:
        said = "; ".join(config.refused)
        more = "What a project may spend, and prices of your own, are not in the estimate. The stack knows them."
        notes.append(Note("config-unknown", f"You may not read limits and prices: {said}", more))
        faults = tuple(fault for fault in config.faults if fault not in config.refused)
        budgets = config.budgets if config.knows_projects else Budgets()
        config = Config(budgets, config.prices, faults, refused=config.refused)
    return Known(settings_of(stack.profile), config, tuple(notes))


def settings_of(profile: Profile) -> Settings:
    """Return the settings of a stack, as its functions have them. Raises Trouble if this command cannot read them."""
    try:
        given = current_parameters(profile.parameters)
        address = given.get("ApiUrl") or _usual_address(profile.region, given.get("Auth", ""))
        settings = Settings.from_parameters(given | {"ApiUrl": address})
        dialect_of(settings)
    except (msgspec.ValidationError, BadTuning, LookupError) as error:
        raise Trouble(
            "stack-settings",
            f"The settings of {profile.stack} cannot be read by this command ({error})",
            f"It is release {__version__}; the stack is {profile.outputs.get('Release', 'an older one')}. "
            "Nothing was uploaded.",
        ) from error
    return settings


def _usual_address(region: str, auth: str) -> str:
    """Return where requests are sent if the parameter `ApiUrl` is empty, as the template has it."""
    return f"https://aws-external-anthropic.{region}.api.aws" if auth == "aws" else _ADDRESS


def release_note(profile: Profile) -> Note | None:
    """Return that a stack is of another release than this command, which may judge a file otherwise."""
    release = profile.outputs.get("Release")
    if release == __version__:
        return None
    theirs = f"release {release}" if release else "an older release"
    more = "It may judge this file otherwise. The stack's own check decides."
    return Note("other-release", f"{profile.stack} is {theirs}, this command is {__version__}", more)
