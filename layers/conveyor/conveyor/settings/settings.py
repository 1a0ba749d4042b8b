"""What can be set: by template parameters for the stack, by S3 object metadata for one drop."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Literal, Self

import msgspec

from conveyor.settings.betas import BETAS_FORM, LONGEST_BETAS, MOST_BETAS, NO_BETAS, guess_betas, joined_betas

_PREFIX = "CONVEYOR_"
_MOST_TOKENS = 1_000_000

Seconds = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True):
    """The settings of one run, as kept in `run.json`. Meanings and bounds: the parameters of `template.yaml`."""

    api_url: str
    batch_api: str
    """Which dialect the provider speaks: a key of `conveyor.provider.connect.DIALECTS`."""
    auth: Literal["api-key", "bearer", "aws"]
    workspace_id: str
    batch_endpoint: Annotated[str, msgspec.Meta(pattern="^/")]
    completion_window: Annotated[str, msgspec.Meta(pattern="^[0-9]+[hd]$")]
    line_form: Literal["params", "body"]
    allow_tools: Literal["yes", "no"]
    delete_files: Literal["yes", "no"]
    on_invalid: Literal["refuse", "skip"]
    default_max_tokens: Annotated[int, msgspec.Meta(ge=0, le=_MOST_TOKENS)]
    max_requests_per_drop: Annotated[int, msgspec.Meta(ge=1)]
    max_bytes_per_drop: Annotated[int, msgspec.Meta(ge=1)]
    max_requests_per_batch: Annotated[int, msgspec.Meta(ge=0)]
    max_bytes_per_batch: Annotated[int, msgspec.Meta(ge=0)]
    max_tokens_per_batch: Annotated[int, msgspec.Meta(ge=1)]
    poll_min_seconds: Seconds
    poll_max_seconds: Seconds
    post_seconds: Seconds
    settle_seconds: Seconds
    reread_seconds: Seconds
    trouble_seconds: Seconds
    max_queued_requests: Annotated[int, msgspec.Meta(ge=1)]
    max_events: Annotated[int, msgspec.Meta(ge=50)]
    max_invalid_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 50
    betas: Annotated[str, msgspec.Meta(pattern=BETAS_FORM, max_length=LONGEST_BETAS)] = ""
    """Names of beta features with commas between: see `conveyor.settings.betas`. Runs of earlier versions had none."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the stack's settings. Raises ValidationError, which names the setting, before any work is done."""
        return cls._of(_given(env, cls.__struct_fields__))

    @classmethod
    def _of(cls, given: Mapping[str, object]) -> Self:
        return msgspec.convert({**given, "betas": joined_betas(str(given.get("betas", "")))}, cls, strict=False)

    def for_drop(self, metadata: Mapping[str, str]) -> Self:
        """Return the settings with a drop's own in place; metadata with other names is not ours and is left alone.

        Raises BadMetadata for a value that is not accepted.
        """
        own = {field: metadata[name] for name, field in PER_DROP.items() if name in metadata}
        for field, value in own.items():
            if self._with(field, value) is None:
                guess = _guess(field, value)
                raise BadMetadata(field, value, guess if guess and self._with(field, guess) else None)
        return self._of({**msgspec.to_builtins(self), **own})

    def _with(self, field: str, value: str) -> Self | None:
        """Return the settings with another value in place; None where it is not accepted."""
        try:
            return self._of({**msgspec.to_builtins(self), field: value})
        except msgspec.ValidationError:
            return None

    def understood(self, name: str, value: str) -> str | None:
        """Return a value of a drop's setting, or else what it probably means; None where neither is accepted."""
        field = PER_DROP[name]
        return next((each for each in (value, _guess(field, value)) if each and self._with(field, each)), None)

    def per_drop(self) -> dict[str, str]:
        """Return the settings a drop may override, as its metadata would say them."""
        own = {name: str(getattr(self, field)) for name, field in PER_DROP.items()}
        return own | {"betas": self.betas or NO_BETAS}


PER_DROP = {
    "on-invalid": "on_invalid",
    "max-invalid-percent": "max_invalid_percent",
    "default-max-tokens": "default_max_tokens",
    "betas": "betas",
}
"""Names of S3 object metadata (`aws s3 cp … --metadata on-invalid=skip`) and the setting each overrides."""

_ACCEPTED = {
    "on_invalid": 'expected "refuse" or "skip"',
    "max_invalid_percent": "expected a whole number from 0 to 100",
    "default_max_tokens": f"expected a whole number from 0 to {_MOST_TOKENS}",
    "betas": "expected names of lower-case letters, digits and hyphens with commas between, "
    f'at most {MOST_BETAS} names and {LONGEST_BETAS} characters, or "{NO_BETAS}"',
}
_QUOTED = 100
"""Characters of a wrong value that are told."""


class BadMetadata(ValueError):
    """The person who dropped the file must correct one of its metadata."""

    def __init__(self, field: str, value: str, guess: str | None) -> None:
        name = next(name for name, setting in PER_DROP.items() if setting == field)
        found = value if len(value) <= _QUOTED else value[:_QUOTED] + "…"
        told = f'the object\'s metadata "{name}" is "{found}"; {_ACCEPTED[field]}'
        super().__init__(f'{told}; did you mean "{guess}"?' if guess else told)


def _guess(field: str, value: str) -> str | None:
    """Return what a wrong value probably means."""
    match field:
        case "on_invalid":
            return next(iter(get_close_matches(value.strip().lower(), ["refuse", "skip"], 1)), None)
        case "betas":
            return guess_betas(value)
        case _:
            is_number = re.fullmatch(r"(?:[0-9]{1,3}(?:[ ,._'][0-9]{3})+|[0-9]+ *%)", value.strip())
            return re.sub("[^0-9]", "", value) if is_number else None


class Environment(msgspec.Struct, frozen=True):
    """Where a function finds things; each function is given only what it uses."""

    bucket: str
    api_key_secret: str = ""
    stack_id: str = ""
    state_machine_arn: str = ""
    spool_bytes: int = 0
    """Bytes of disk for the results of one batch."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the variables the template sets."""
        return msgspec.convert(_given(env, cls.__struct_fields__), cls, strict=False)


def _given(env: Mapping[str, str], fields: Iterable[str]) -> dict[str, str]:
    """Return what the environment says of some fields; one it does not name is left to its default."""
    return {name: env[_PREFIX + name.upper()] for name in fields if _PREFIX + name.upper() in env}
