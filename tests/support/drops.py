"""Settings and dialects for checking a drop, lines to write, and a simple reference check that remembers every id."""

from typing import Any, NamedTuple

import httpx
import orjson
from msgspec.structs import replace

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Fault
from conveyor.domain.plan import Batch, Skipped
from conveyor.jsonl.lines import read_lines
from conveyor.provider.credentials import ApiKey, KeyHeader
from conveyor.provider.files.api import FileBatches
from conveyor.provider.messages.api import MessageBatches
from conveyor.provider.transport import Transport
from conveyor.settings.settings import Settings
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import MOST_MODEL_CHANGES
from conveyor.validation.params import Rules
from conveyor.validation.planner import Limits, Planner, RequestGroup
from conveyor.validation.rules import Request, read_request
from tests.support.examples import SETTINGS

RUN = "20261122T101112Z-0123456789ab"
MESSAGES = MessageBatches.dialect


def settings(**changes: Any) -> Settings:
    """Return generous settings with some changed."""
    generous: dict[str, Any] = {
        "default_max_tokens": 16, "max_requests_per_drop": 10**6, "max_bytes_per_drop": 10**10,
        "max_requests_per_batch": 10**5, "max_bytes_per_batch": 10**8, "max_tokens_per_batch": 10**9,
    }  # fmt: skip
    return replace(SETTINGS, **generous | changes)


def files(**changes: Any) -> Dialect:
    """Return the file dialect with some of its settings changed."""
    transport = Transport(httpx.Client(), SETTINGS.api_url, KeyHeader(lambda *, renew=False: ApiKey(f"key {renew}")))
    return FileBatches(transport, settings(**{"batch_api": "files"} | changes)).dialect


PARAMS, BODY = files(), files(batch_api="files-openai")
"""The two line forms of the file dialect; a batch of the second form has one model only."""
CHAT = files(batch_api="files-openai", batch_endpoint="/v1/chat/completions")
DIALECTS = {"messages": MESSAGES, "params": PARAMS, "body": BODY, "chat": CHAT}


def line(custom_id: Any, **params: Any) -> bytes:
    """Write a valid line with some `params` replaced; None removes a field."""
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], **params}
    return orjson.dumps(
        {"custom_id": custom_id, "params": {name: value for name, value in body.items() if value is not None}}
    )


class Findings(NamedTuple):
    """The result of a check."""

    batches: list[Batch]
    faults: list[Fault]
    lines: int
    requests: int
    alternates: bool


def plain_check(data: bytes, settings: Settings, most_faults: int, dialect: Dialect = MESSAGES) -> Findings:
    """Check a drop by its rules, line by line, with all ids in a dictionary."""
    most = Limits(settings.max_requests_per_batch, settings.max_bytes_per_batch, settings.max_tokens_per_batch)
    planner = Planner(most, len(dialect.form.start + dialect.form.end))
    envelope = Envelope(dialect.form, RUN, settings.default_max_tokens)
    lines_by_id: dict[str, int] = {}
    faults: list[Fault] = []
    count = requests = 0
    for one in read_lines([data]):
        count += 1
        found = read_request(one, Rules(dialect, settings.default_max_tokens))
        if isinstance(found, Request):
            requests += 1
            if requests > settings.max_requests_per_drop or planner.changes > MOST_MODEL_CHANGES:
                continue
            defaulted = dialect.is_message and found.max_tokens is None
            size = len(envelope.requests([one.number], [found.params], [defaulted]))
            first = lines_by_id.setdefault(str(found.custom_id), one.number)
            if first == one.number and planner.fits_alone(size):
                tokens = found.max_tokens or settings.default_max_tokens
                model = found.model if dialect.one_model else ""
                nulled = int(found.has_nulls)
                planner.add(
                    RequestGroup(
                        one.number, one.number, one.start, one.end, 1, size, tokens, int(defaulted), model, nulled
                    )
                )
                continue
            requests -= 1
            code, message = "custom-id-duplicate", f'"custom_id" is already used on line {first}'
            if first == one.number:
                limit = settings.max_bytes_per_batch
                code, message = (
                    "request-too-large",
                    f"the request has {size:,} bytes; the limit for a batch is {limit:,}",
                )
            found = [Fault(one.number, one.start, found.custom_id, code, message)]
        faults += found
        planner.skip(Skipped(one.number, found[0].custom_id, found[0].code, found[0].message), one.start, one.end)
        if len(faults) > most_faults:
            break
    return Findings(planner.batches, faults, count, requests, planner.changes > MOST_MODEL_CHANGES)
