"""Reading lines on the fast path, and line by line."""

import json
from itertools import repeat
from typing import Any

import orjson

from conveyor.jsonl.lines import LineBlock, read_lines
from conveyor.money.bounds import Bound, Caching
from conveyor.validation.fast_path import FastPath, FastPathResult, LinePlaces
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES

RULES = Rules(MESSAGES, 16)
NOWHERE = LinePlaces([], 0)


def read_fast(*lines: bytes, one_model: bool = False) -> FastPathResult | None:
    """Read lines on the fast path."""
    data = b"".join(line + b"\n" for line in lines)
    return without_rows(FastPath(one_model=one_model).read(LineBlock(data, 0, len(data), 0)))


def without_rows(result: FastPathResult | None) -> FastPathResult | None:
    """Remove rows and places, which the check of each line does not have, and say the bound of each line."""
    if result is None:
        return None
    caching = result.caching or repeat(Caching.NONE)
    text = [Bound(length, each) for length, each in zip(result.places.lengths(), caching, strict=False)]
    return result._replace(rows=(), places=NOWHERE, bounds=result.bounds or text, caching=None)


def read_each(*lines: bytes, one_model: bool = False) -> FastPathResult | None:
    """Check lines one by one; None if one is not a request, or if there are more lines than these.

    `one_model`: also None if they name several models.
    """
    results = [read_request(line, RULES) for line in read_lines([b"".join(line + b"\n" for line in lines)])]
    requests = [request for request in results if isinstance(request, Request)]
    if len(requests) != len(lines) or len(results) != len(lines):
        return None
    models = {request.model for request in requests} if one_model else {""}
    if len(models) != 1:
        return None
    tokens = [request.max_tokens for request in requests]
    return FastPathResult(
        [str(request.custom_id) for request in requests],
        sum(len(request.params) for request in requests),
        sum(token for token in tokens if token),
        tokens.count(None),
        models.pop(),
        (),
        NOWHERE,
        [request.bound for request in requests],
    )


def usual(custom_id: Any = "a", **changes: Any) -> dict[str, Any]:
    """Make a request with some fields of `params` changed; None removes a field."""
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], **changes}
    return {"custom_id": custom_id, "params": {name: value for name, value in body.items() if value is not None}}


def written(request: Any, spaces: str = "") -> bytes:
    """Write JSON with or without spaces, as the usual libraries do."""
    return json.dumps(request, ensure_ascii=False).encode() if spaces else orjson.dumps(request)


GOOD = written(usual())
PARAMS = written(usual()["params"])
