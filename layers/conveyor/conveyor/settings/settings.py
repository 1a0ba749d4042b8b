"""What can be set: by template parameters for the stack, by S3 object metadata for one drop."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Literal, Self

import msgspec
from msgspec.inspect import IntType, LiteralType, Metadata, Type, type_info
from msgspec.structs import fields, force_setattr

from conveyor.settings.betas import BETAS_FORM, LONGEST_BETAS, MOST_BETAS, NO_BETAS, guess_betas, normalized_betas
from conveyor.settings.tuning import PARAMETER, TUNING, defaults, name_of, read_tuning

_PREFIX = "CONVEYOR_"
MESSAGES, FILES, FILES_OPENAI = "messages", "files", "files-openai"
"""Values of `BatchApi`. With the last one, lines of files have the form of OpenAI's API."""
_PER_DROP = ("on_invalid", "max_invalid_percent", "default_max_tokens", "betas", "retry_rounds")
PER_DROP = {field.replace("_", "-"): field for field in _PER_DROP}
"""Names of S3 object metadata (`aws s3 cp … --metadata on-invalid=skip`) and the setting each overrides."""


def parameter_of(field: str) -> str:
    """Return what sets a field of `Settings` if `=` and a value follow it: `OnInvalid`, `Tuning=settle-seconds`."""
    return f"{PARAMETER}={name_of(field)}" if field in TUNING else camel_case(field)


def camel_case(field: str) -> str:
    """Return the name of a field as parameters of the template are written."""
    return "".join(word.title() for word in field.split("_"))


type YesOrNo = Literal["yes", "no"]
type Positive = Annotated[int, msgspec.Meta(ge=1)]
type Seconds = Annotated[int, msgspec.Meta(ge=1)]
type Limit = Annotated[int, msgspec.Meta(ge=0)]
"""0 stands for the limit of the dialect."""
type Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
type Betas = Annotated[
    str,
    msgspec.Meta(
        pattern=BETAS_FORM,
        max_length=LONGEST_BETAS,
        description="names of lower-case letters, digits, hyphens and dots with commas between, "
        f'at most {MOST_BETAS} names and {LONGEST_BETAS} characters, or "{NO_BETAS}"',
    ),
]


class Settings(msgspec.Struct, frozen=True):
    """The settings of one run, as kept in `run.json`.

    `template.yaml` has a parameter of the same name for each, with its default, its bounds and its description, or
    `TUNING` has them. The bounds here are those of what comes from neither: a drop's metadata, a variable set by hand,
    and runs of earlier versions, whose bounds may have been wider. A test compares them. A field that is added has a
    default: runs of earlier versions do not have it.
    """

    api_url: str
    """Base URL of the provider's API, without `/v1`."""
    batch_api: str
    """The dialect of the provider, and how requests are written: a key of `conveyor.provider.protocol.DIALECTS`."""
    auth: Literal["api-key", "bearer", "aws"]
    """How calls are authenticated; `aws` signs them with the role of the function."""
    workspace_id: str
    """Empty where calls name no workspace."""
    batch_endpoint: Annotated[str, msgspec.Meta(pattern="^/")]
    """What the lines of a file are requests to (files)."""
    completion_window: Annotated[str, msgspec.Meta(pattern="^[0-9]+[hd]$")]
    """Hours or days within which the provider is asked to complete a batch (files)."""
    delete_files: YesOrNo
    """Whether a run's files at the provider are deleted when it ends (files)."""
    on_invalid: Literal["refuse", "skip"]
    """What happens to a drop with invalid lines."""
    default_max_tokens: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    """`max_tokens` of a request that has none. 0: such a request is invalid."""
    max_requests_per_drop: Positive
    max_bytes_per_drop: Positive
    """Of the unpacked drop."""
    max_requests_per_batch: Limit
    max_bytes_per_batch: Limit
    """Of the request body."""
    max_tokens_per_batch: Positive
    """Sum of `max_tokens`."""
    poll_min_seconds: Seconds
    """Shortest wait between two checks of a run."""
    poll_max_seconds: Seconds
    """Longest wait between two checks of a run."""
    post_seconds: Seconds
    """Timeout of the call that creates a batch."""
    settle_seconds: Seconds
    """After a call that creates a batch: the batch is listed by then."""
    reread_seconds: Seconds
    """Wait between two reads of results that lack a line."""
    trouble_seconds: Seconds
    """Of trouble with the provider, after which a message reports it."""
    max_queued_requests: Positive
    """Requests that the provider's queue takes, over all batches of the workspace."""
    max_events: Annotated[int, msgspec.Meta(ge=50)]
    """Events of an execution of the state machine after which the run continues in a new one."""
    max_invalid_percent: Percent = 50
    """Largest share of invalid lines with which a drop is sent, whatever `on_invalid` says."""
    require_project: YesOrNo = "no"
    """Whether a drop that belongs to no project is refused."""
    hold_above_usd: Annotated[float, msgspec.Meta(ge=0)] = 0
    """A run that may cost more than this at most waits for an approval. 0: none waits for that."""
    hold_hours: Positive = 72
    """Hours for which a run waits for an approval; then it is declined."""
    probe_above: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Requests from which on a sample of a drop is answered before the rest is sent. 0: only if a drop asks for it."""
    probe_seconds: Seconds = 3600
    """How long the rest of a drop waits for the probe's answer, if it may cost no more than the limits allow."""
    retry_rounds: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    """How often requests are sent again that failed for a reason that may pass."""
    round_seconds: Seconds = 600
    """The pause before the first round; before each later one it is six times as long."""
    budget_day_seconds: Seconds = 86_400
    """The length of the days for which projects have a ceiling; they begin at midnight UTC."""
    betas: Betas = ""
    """Names of beta features, separated by commas: see `conveyor.settings.betas`."""
    line_form: Literal["params", "body"] = "params"
    """Of runs that began with release 0.1.0 or earlier: `body` stands for what is now `files-openai`."""
    allow_tools: YesOrNo = "no"
    """Of such runs: whether requests may have tools (files). In later ones they may not."""

    def __post_init__(self) -> None:
        """Read the form of lines of an earlier run, so that one field says it everywhere else."""
        if self.batch_api == FILES and self.line_form == "body":
            force_setattr(self, "batch_api", FILES_OPENAI)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the stack's settings. Raises ValidationError or BadTuning, which name the setting."""
        return cls._of_stack(_variables(env, (*FIELDS, PARAMETER.lower())))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read a stack's settings from the parameters of its template. Raises ValidationError or BadTuning."""
        fields = {camel_case(field): field for field in (*FIELDS, PARAMETER.lower())}
        return cls._of_stack({fields[name]: value for name, value in parameters.items() if name in fields})

    @classmethod
    def _of_stack(cls, given: Mapping[str, str]) -> Self:
        own = {field: value for field, value in given.items() if field not in TUNING}
        return cls._of({**own, **defaults(), **read_tuning(given.get(PARAMETER.lower(), ""))})

    @classmethod
    def _of(cls, given: Mapping[str, object]) -> Self:
        return msgspec.convert({**given, "betas": normalized_betas(str(given.get("betas", "")))}, cls, strict=False)

    def for_drop(self, metadata: Mapping[str, str]) -> Self:
        """Return the settings with those that a drop's metadata overrides; other names belong to other tools.

        Raises BadMetadata for a value that is not accepted.
        """
        overrides = {field: metadata[name] for name, field in PER_DROP.items() if name in metadata}
        for field, value in overrides.items():
            if self._with(field, value) is None:
                guess = _guess(field, value)
                raise BadMetadata(field, value, guess if guess and self._with(field, guess) else None)
        return self._of({**msgspec.to_builtins(self), **overrides})

    def _with(self, field: str, value: str) -> Self | None:
        """Return the settings with one value changed; None if it is not accepted."""
        try:
            return self._of({**msgspec.to_builtins(self), field: value})
        except msgspec.ValidationError:
            return None

    def closest_value(self, name: str, value: str) -> str | None:
        """Return a value of metadata if it is accepted, or else the accepted value that was probably meant, if any."""
        field = PER_DROP[name]
        candidates = (value, _guess(field, value))
        return next((candidate for candidate in candidates if candidate and self._with(field, candidate)), None)

    def per_drop(self) -> dict[str, str]:
        """Return the settings a drop may override, as metadata that sets them."""
        values = {name: str(getattr(self, field)) for name, field in PER_DROP.items()}
        return values | {"betas": self.betas or NO_BETAS}


FIELDS = tuple(field for field in Settings.__struct_fields__ if field not in {"line_form", "allow_tools"})
"""The fields that can be set: all but those of earlier runs."""
_QUOTED = 100
"""Characters of a wrong value that an error quotes."""


class BadMetadata(ValueError):
    """A value in a drop's metadata is not accepted; the message says which, what is, and what was probably meant."""

    def __init__(self, field: str, value: str, guess: str | None) -> None:
        name = next(name for name, setting in PER_DROP.items() if setting == field)
        quoted = value if len(value) <= _QUOTED else value[:_QUOTED] + "…"
        text = f'the object\'s metadata "{name}" is "{quoted}"; expected {_accepted(field)}'
        super().__init__(f'{text}; did you mean "{guess}"?' if guess else text)


def _type_of(field: str) -> Type:
    return type_info(next(each.type for each in fields(Settings) if each.name == field))


def _accepted(field: str) -> str:
    """Describe the values of a setting by its type."""
    match _type_of(field):
        case LiteralType(values):
            return " or ".join(f'"{value}"' for value in values)
        case IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case Metadata(extra_json_schema={"description": description}):
            return str(description)
    raise TypeError(f"a drop cannot set {field}: its type has no description")


def _guess(field: str, value: str) -> str | None:
    """Return what a wrong value probably means."""
    match _type_of(field):
        case LiteralType(values):
            return next(iter(get_close_matches(value.strip().lower(), map(str, values), 1)), None)
        case IntType():
            is_number = re.fullmatch(r"(?:[0-9]{1,3}(?:[ ,._'][0-9]{3})+|[0-9]+ *%)", value.strip())
            return re.sub("[^0-9]", "", value) if is_number else None
        case _:
            return guess_betas(value)


class Environment(msgspec.Struct, frozen=True):
    """Where a function finds its resources; each function is given only those that it uses."""

    bucket: str
    api_key_secret: str = ""
    stack_id: str = ""
    state_machine_arn: str = ""
    spool_bytes: int = 0
    """Bytes of disk for the results of one batch."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the variables the template sets."""
        return msgspec.convert(_variables(env, cls.__struct_fields__), cls, strict=False)


def _variables(env: Mapping[str, str], fields: Iterable[str]) -> dict[str, str]:
    """Return the variables of some fields; a field without a variable is left to its default."""
    return {name: env[_PREFIX + name.upper()] for name in fields if _PREFIX + name.upper() in env}
