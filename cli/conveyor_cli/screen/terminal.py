"""What the user's terminal can show, from the environment. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Self

_COERCED = frozenset({"C.UTF-8", "C.utf8"})
"""What Python itself sets as LC_CTYPE where the locale is C (PEP 538)."""
_WIDE = ("zh", "ja", "ko")
"""Languages in whose terminals the marks may be two cells wide."""


class Colour(StrEnum):
    """When there are colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Look(NamedTuple):
    """How the user wants the output."""

    colour: Colour = Colour.AUTO
    ascii: bool = False
    json: bool = False
    debug: bool = False

    @classmethod
    def of(cls, arguments: list[str]) -> Self:
        """Read it from the arguments as they were typed, so that it is known for wrong arguments, too."""
        chosen = next((value for value in map(_colour_of, arguments, [*arguments[1:], ""]) if value), Colour.AUTO)
        return cls(chosen, "--ascii" in arguments, "--json" in arguments, "--debug" in arguments)


def _colour_of(argument: str, following: str) -> Colour | None:
    value = argument.removeprefix("--color=") if argument.startswith("--color=") else following
    is_named = argument == "--color" or argument.startswith("--color=")
    return Colour(value) if is_named and value in set(Colour) else None


def is_coloured(choice: Colour, env: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Return whether a stream gets colours. `NO_COLOR` counts if it is not empty (https://no-color.org)."""
    if choice is not Colour.AUTO:
        return choice is Colour.ALWAYS
    return is_terminal and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


def is_utf8(env: Mapping[str, str], encoding: str) -> bool:
    """Return whether text beyond ASCII can be shown, by the locale and the encoding of the stream."""
    return "utf8" in _locale(env).lower().replace("-", "") and encoding.lower().replace("-", "") == "utf8"


def has_narrow_marks(env: Mapping[str, str]) -> bool:
    """Return whether each mark beyond ASCII takes one cell, by the language of the locale."""
    return not _locale(env).lower().startswith(_WIDE)


def _locale(env: Mapping[str, str]) -> str:
    ctype = env.get("LC_CTYPE", "")
    own = "" if ctype in _COERCED else ctype
    return env.get("LC_ALL") or own or env.get("LANG") or ""
