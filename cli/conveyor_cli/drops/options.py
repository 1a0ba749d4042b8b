"""What a person chose for a drop, and the key and the metadata that follow from it. Pure."""

import shlex
from datetime import UTC, datetime
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.drop import (
    HOLD,
    HOLD_ALWAYS,
    MAX_USD,
    NOTIFY,
    PACKED,
    PROBE,
    PROBE_NO,
    PROBE_YES,
    PROJECT,
    SUFFIX,
    Upload,
    is_taken,
    stem,
)
from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble

_LONGEST_KEY = 1024
"""Bytes. The limit of S3."""
_NAME_IT = "Name the drop with --name NAME."


class Options(NamedTuple):
    """What a person chose. None: as the stack has it."""

    project: str | None = None
    """Whose drop it is. It goes into the folder of this project, where a dropper may write."""
    name: str | None = None
    """Of the drop, instead of the file's own; it may have folders."""
    probe: bool | None = None
    hold: bool = False
    """Whether the run waits for an approval in any case."""
    max_usd: str | None = None
    """What the run may cost without an approval."""
    on_invalid: str | None = None
    max_invalid_percent: int | None = None
    default_max_tokens: int | None = None
    betas: str | None = None
    retry_rounds: int | None = None
    notify: str | None = None
    """When a message comes beside those that always do: at the `start`."""
    again: bool = False
    """Whether content that ran before under this key is processed, and paid for, once more."""

    def metadata(self) -> dict[str, str]:
        """Return the metadata of the object. `again` is left out: it names a run."""
        probe = None if self.probe is None else PROBE_YES if self.probe else PROBE_NO
        given = {
            PROJECT: self.project,
            PROBE: probe,
            HOLD: HOLD_ALWAYS if self.hold else None,
            MAX_USD: self.max_usd,
            "on-invalid": self.on_invalid,
            "max-invalid-percent": self.max_invalid_percent,
            "default-max-tokens": self.default_max_tokens,
            "betas": self.betas,
            "retry-rounds": self.retry_rounds,
            NOTIFY: self.notify,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def typed(self) -> list[str]:
        """Return the options as they are typed."""
        valued = [
            ("--project", self.project), ("--name", self.name), ("--max-usd", self.max_usd),
            ("--on-invalid", self.on_invalid), ("--max-invalid-percent", self.max_invalid_percent),
            ("--default-max-tokens", self.default_max_tokens), ("--betas", self.betas),
            ("--retry-rounds", self.retry_rounds), ("--notify", self.notify),
        ]  # fmt: skip
        flags = [("--probe", self.probe), ("--no-probe", self.probe is False), ("--hold", self.hold)]
        words = [word for name, value in valued if value is not None for word in (name, str(value))]
        return [*words, *(name for name, is_set in flags if is_set), *(["--again"] if self.again else [])]


AS_THE_STACK_HAS_IT = Options()


def command_of(file: str, options: Options) -> str:
    """Return the command that drops a file, ready to paste."""
    named = f"./{file}" if file.startswith("-") else file
    return shlex.join(["conveyor", "drop", named, *options.typed()])


def key_of(file: str, options: Options) -> str:
    """Return the key of a file: in the folder of its project, and with a suffix that the stack takes.

    `file`: its name, without folders. Raises Trouble for a name that cannot be one, or that the stack ignores.
    """
    name = _with_suffix(options.name if options.name is not None else file, file)
    _refuse_odd(name)
    key = "/".join([keys.INBOX.rstrip("/"), *([options.project] if options.project else []), name])
    if Upload("", key, None, 1, "", datetime.now(UTC)).is_ignored:
        raise _wrong(f"The stack ignores files named {name}: programs leave them in folders")
    if len(key.encode()) > _LONGEST_KEY:
        raise _wrong(f"The name is too long: a key of S3 has {_LONGEST_KEY:,} bytes at most")
    return key


def _with_suffix(name: str, file: str) -> str:
    """Return a name that the stack takes. One that was chosen keeps its dots: they may be a date's."""
    if is_taken(name):
        return name
    folder, slash, last = name.rpartition("/")
    packed = PACKED if file.lower().endswith(PACKED) else ""
    return f"{folder}{slash}{last if name != file else stem(last)}{SUFFIX}{packed}" if last else name


def _refuse_odd(name: str) -> None:
    """Raise Trouble for names that S3 or its clients change on their way."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise _wrong("The file's name is not UTF-8") from None
    if any(part in {"", ".", ".."} for part in name.split("/")):
        raise _wrong(f'"{name}" cannot be the name of a drop')


def _wrong(message: str) -> Trouble:
    return Trouble("wrong-name", message, f"Nothing was uploaded. {_NAME_IT}", exit_code=Exit.USAGE)
