"""What can be set: by template parameters for the stack, by S3 object metadata for one drop."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

import msgspec

_PREFIX = "CONVEYOR_"

Seconds = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True):
    """The settings of one run, as kept in `run.json`. Meanings and bounds: the parameters of `template.yaml`."""

    api_url: str
    batch_api: str
    """Which dialect the provider speaks: a key of `conveyor.api.access.DIALECTS`."""
    auth: Literal["api-key", "bearer", "aws"]
    workspace_id: str
    batch_endpoint: Annotated[str, msgspec.Meta(pattern="^/")]
    completion_window: Annotated[str, msgspec.Meta(pattern="^[0-9]+[hd]$")]
    line_form: Literal["params", "body"]
    allow_tools: Literal["yes", "no"]
    delete_files: Literal["yes", "no"]
    on_invalid: Literal["refuse", "skip"]
    default_max_tokens: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
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

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the stack's settings. Raises ValidationError, which names the setting, before any work is done."""
        return msgspec.convert(_given(env, cls.__struct_fields__), cls, strict=False)

    def for_drop(self, metadata: Mapping[str, str]) -> Self:
        """Return the settings with a drop's own in place; metadata with other names is not ours and is left alone.

        Raises BadMetadata for a value that is not accepted.
        """
        own = {field: metadata[name] for name, field in PER_DROP.items() if name in metadata}
        for field, value in own.items():
            try:
                msgspec.convert({**msgspec.to_builtins(self), field: value}, type(self), strict=False)
            except msgspec.ValidationError:
                raise BadMetadata(field) from None
        return msgspec.convert({**msgspec.to_builtins(self), **own}, type(self), strict=False)

    def per_drop(self) -> dict[str, str]:
        """Return the settings a drop may override, as its metadata would say them."""
        return {name: str(getattr(self, field)) for name, field in PER_DROP.items()}


PER_DROP = {
    "on-invalid": "on_invalid",
    "max-invalid-percent": "max_invalid_percent",
    "default-max-tokens": "default_max_tokens",
}
"""Names of S3 object metadata (`aws s3 cp … --metadata on-invalid=skip`) and the setting each overrides."""

_ACCEPTED = {
    "on_invalid": '"refuse" or "skip"',
    "max_invalid_percent": "a whole number from 0 to 100",
    "default_max_tokens": "a whole number from 0 to 1000000",
}


class BadMetadata(ValueError):
    """The person who dropped the file must correct one of its metadata."""

    def __init__(self, field: str) -> None:
        name = next(name for name, setting in PER_DROP.items() if setting == field)
        super().__init__(f'the object\'s metadata "{name}" must be {_ACCEPTED[field]}')


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
