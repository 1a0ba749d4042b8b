"""What a drop must keep for the files dialect. Needs no HTTP: a desk checks files with it."""

import re
from datetime import timedelta

import msgspec

from conveyor.domain.dialect import NOTHING, Dialect, Form
from conveyor.settings.settings import FILES_OPENAI, Settings

_WINDOW = re.compile(r"(\d+)([hd])")
_TOOLS = (
    "servers that take files of params take no tools, and some answer without them all the same: remove it, or deploy "
    f"with BatchApi={FILES_OPENAI} if yours takes lines of method, url and body"
)


def dialect_of(settings: Settings) -> Dialect:
    """Return the dialect as a stack has set it."""
    has_body = settings.batch_api == FILES_OPENAI
    call = b'","method":"POST","url":%b,"body":' % msgspec.json.encode(settings.batch_endpoint)
    between, url = (call, settings.batch_endpoint) if has_body else (b'","params":', None)
    form = Form(b"", b'{"custom_id":"', between, b"\n", b"\n", is_lines=True, url=url)
    return Dialect(
        form,
        max_requests=50_000,
        max_bytes=200_000_000,
        one_model=has_body,
        is_message=settings.batch_endpoint.endswith("/messages"),
        refused_fields=NOTHING if has_body or settings.allow_tools == "yes" else {"tools": _TOOLS},
        window=window_of(settings.completion_window),
    )


def window_of(text: str) -> timedelta:
    """Parse a completion window, such as `24h` or `7d`."""
    match = _WINDOW.fullmatch(text)
    count, unit = (int(match[1]), match[2]) if match else (24, "h")
    return timedelta(days=count) if unit == "d" else timedelta(hours=count)
