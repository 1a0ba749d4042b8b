"""The one command that makes a file of requests of a wrong file, for the shell where the file is."""

from shlex import quote

import msgspec

from conveyor.domain.drop import stem
from conveyor.file_types.known_types import Kind

MADE_BY_RECIPE = "requests.jsonl"
"""What the recipes of `docs/files.md` write."""


class Mend(msgspec.Struct, frozen=True):
    """What a person types, and which file to drop then."""

    command: str
    """Empty where it takes a recipe, which writes the file."""
    file: str
    powershell: str = ""
    """The same for Windows PowerShell, where the file is likely to come from there."""


def mend_of(kind: Kind, key: str, layers: int) -> Mend | None:
    """Return how a file of some kind is put in order; None where no single command does it.

    `layers`: how often the file is packed with gzip.
    """
    file = key.rsplit("/", 1)[-1] or "requests"
    made = f"{stem(key)}-mended.jsonl"
    if kind.has_recipe:
        return Mend("", MADE_BY_RECIPE)
    if kind.is_mended_in_place:
        return Mend(kind.tool.replace("{file}", _name(file)), file)
    powershell = "" if layers else kind.powershell.format(file=_of_windows(file), made=_of_windows(made))
    if kind.filter:
        return Mend(_written(_filtered(file, kind.filter, layers), made), made, powershell)
    if not kind.tool:
        return None
    if not layers:
        return Mend(_written(kind.tool.replace("{file}", _name(file)), made), made)
    inner = f"{stem(key)}-unpacked"
    unpack = f"gzip -dc < {quote(file)}{' | gzip -dc' * (layers - 1)} > {quote(inner)}"
    return Mend(f"{unpack} && {_written(kind.tool.replace('{file}', _name(inner)), made)}", made)


def _written(command: str, made: str) -> str:
    """Return the command that writes a file only if all goes well: half of the requests must not look like all."""
    unfinished = _name(f"{made}.part")
    return f"{command} > {unfinished} && mv {unfinished} {_name(made)}"


def _filtered(file: str, command: str, layers: int) -> str:
    """Return the pipe that reads a file through a command."""
    source = f" < {quote(file)}"
    if not layers and "|" not in command:
        return command + source
    return " | ".join([f"gzip -dc{source}" if layers else f"cat{source}", *["gzip -dc"] * (layers - 1), command])


def _name(file: str) -> str:
    """Return a file's name as an argument, which must not look like an option."""
    return quote(f"./{file}" if file.startswith("-") else file)


def _of_windows(file: str) -> str:
    return "'" + file.replace("'", "''") + "'"
