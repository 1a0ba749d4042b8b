"""The command that converts a file of a wrong type to a file of requests, for a shell on the user's machine."""

from shlex import quote

import msgspec

from conveyor.domain.drop import stem
from conveyor.file_types.known_types import FileType

RECIPE_OUTPUT = "requests.jsonl"
"""What the recipes of `docs/files.md` write."""
PROMPT_OPTIONS = "--template prompt.md --model claude-haiku-4-5"
"""Of `conveyor prepare`, with a prompt that a person has written."""


class Conversion(msgspec.Struct, frozen=True):
    """The command to type, and the file to drop afterwards."""

    command: str
    """Empty if a recipe of `docs/files.md` is needed; the recipe writes the file."""
    file: str
    powershell: str = ""
    """The same for Windows PowerShell, for types of files that usually come from there."""
    prepare: str = ""
    """The command that does what the recipe does, with a prompt in `prompt.md`; empty for other types."""


def conversion_of(file_type: FileType, key: str, layers: int) -> Conversion | None:
    """Return how to convert a file, or None if no single command does it. `layers`: how often gzip was applied."""
    file = key.rsplit("/", 1)[-1] or "requests"
    output = f"{stem(key)}-converted.jsonl"
    if file_type.has_recipe:
        made = RECIPE_OUTPUT if file != RECIPE_OUTPUT else output
        return Conversion("", made, prepare=_prepare(file_type, file, layers, made))
    if file_type.converts_in_place:
        return Conversion(file_type.tool.replace("{file}", _argument(file)), file)
    powershell = "" if layers else file_type.powershell.format(file=_quote_windows(file), output=_quote_windows(output))
    if file_type.filter:
        return Conversion(_write_to(output, _read_through(file_type.filter, file, layers)), output, powershell)
    if not file_type.tool:
        return None
    if not layers:
        return Conversion(_write_to(output, file_type.tool.replace("{file}", _argument(file))), output)
    inner = f"{stem(key)}-unpacked"
    unpack = f"gzip -dc < {quote(file)}{' | gzip -dc' * (layers - 1)} > {quote(inner)}"
    return Conversion(f"{unpack} && {_write_to(output, file_type.tool.replace('{file}', _argument(inner)))}", output)


def _prepare(file_type: FileType, file: str, layers: int, made: str) -> str:
    """Return the command that makes requests of a table or a text. It unpacks once at most."""
    if not file_type.prepare or layers > file_type.is_prepared_packed:
        return ""
    return f"{file_type.prepare.format(file=_argument(file))} {PROMPT_OPTIONS} -o {quote(made)}"


def _write_to(output: str, command: str) -> str:
    """Return a command that creates the file only on success, so that half of the requests cannot pass for all."""
    unfinished = _argument(f"{output}.part")
    return f"{command} > {unfinished} && mv {unfinished} {_argument(output)}"


def _read_through(command: str, file: str, layers: int) -> str:
    """Return the pipeline that unpacks a file and passes it through a command."""
    source = f" < {quote(file)}"
    if not layers and "|" not in command:
        return command + source
    return " | ".join([f"gzip -dc{source}" if layers else f"cat{source}", *["gzip -dc"] * (layers - 1), command])


def _argument(file: str) -> str:
    """Return a file name quoted as an argument that is not read as an option."""
    return quote(f"./{file}" if file.startswith("-") else file)


def _quote_windows(file: str) -> str:
    return "'" + file.replace("'", "''") + "'"
