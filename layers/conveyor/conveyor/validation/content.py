"""Messages and system prompts whose shape no model takes.

What depends on the model is left alone: an assistant's message at the end, say. The provider's own words for the rest:
"messages: text content blocks must contain non-whitespace text", "Input should be a valid dictionary".
"""

from collections.abc import Iterator
from typing import Any

from conveyor.validation.body_fields import kind_of

_ROLES = {
    "human": 'use "user"', "customer": 'use "user"', "model": 'use "assistant"', "bot": 'use "assistant"',
    "ai": 'use "assistant"', "gpt": 'use "assistant"', "developer": 'use "system" of params',
    "tool": 'put a part of type "tool_result" into a message of the role "user"',
    "function": 'put a part of type "tool_result" into a message of the role "user"',
}  # fmt: skip
"""Roles of other APIs."""
_PARTS = {
    "image_url": 'use {"type": "image", "source": {"type": "url", "url": …}}',
    "input_image": 'use {"type": "image", "source": …}',
    "input_text": 'use "text"', "output_text": 'use "text"',
    "input_file": 'use {"type": "document", "source": …}', "file": 'use {"type": "document", "source": …}',
    "input_audio": "there is none for sound", "audio_url": "there is none for sound",
    "video_url": "there is none for video",
}  # fmt: skip
"""Types of parts of other APIs."""
_MEDIA = {"image/jpg": "image/jpeg", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}

Told = Iterator[tuple[str, str]]


def messages_told(messages: list[Any], *, strict: bool) -> Told:
    """Yield what is wrong with the first message that cannot be right.

    `strict`: also where only other APIs take it.
    """
    for number, message in enumerate(messages):
        if _is_plain(message):
            continue
        where = f'"params.messages[{number}]'
        is_last = number == len(messages) - 1
        if told := [*_message_told(message, where, is_last=is_last), *(_strange(message, where) if strict else ())]:
            yield from told
            return


def system_told(system: object) -> Told:
    """Yield what is wrong with a system prompt: a string, which may be empty, or parts."""
    match system:
        case None | "":
            return
        case str() as text if text.isspace():
            yield "system-invalid", '"params.system" is a string of white space only: remove it'
        case str():
            return
        case list() as parts:
            for number, part in enumerate(parts):
                if told := [*_part_told(part, f'"params.system[{number}]')]:
                    yield from told
                    return
        case _:
            yield "system-invalid", f'"params.system" must be a string or an array of parts, and is {kind_of(system)}'


def _is_plain(message: object) -> bool:
    """Tell whether a message is of the most usual form, and right."""
    if type(message) is not dict or message.get("role") not in ("user", "assistant", "system"):  # see below
        return False
    text = message.get("content")
    return type(text) is str and bool(text) and not text.isspace()


def _message_told(message: object, where: str, *, is_last: bool) -> Told:
    if not isinstance(message, dict):
        wanted = '{"role": "user", "content": …}'
        yield "message-invalid", f'{where}" must be an object like {wanted}, and is {kind_of(message)}'
        return
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str):
        found = kind_of(role) if "role" in message else "missing"
        yield "role-invalid", f'{where}.role" must be a string, "user" or "assistant", and is {found}'
    if isinstance(content, list) and content:
        for number, part in enumerate(content):
            if told := [*_part_told(part, f"{where}.content[{number}]")]:
                yield from told
                return
    elif isinstance(content, str | list):
        if not content and is_last and role == "assistant":
            return  # the only message that may be empty
        if isinstance(content, list) or not content.strip():
            found = f"{kind_of(content)} of white space only" if content else kind_of(content)
            yield "content-empty", f'{where}.content" must not be empty, and is {found}'
    else:
        found = kind_of(content) if "content" in message else "missing"
        yield "content-invalid", f'{where}.content" must be a string or an array of parts, and is {found}'


def _part_told(part: object, where: str) -> Told:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict):
        wanted = '{"type": "text", "text": …}'
        yield "part-invalid", f'{where}" must be an object like {wanted}, and is {kind_of(part)}'
    elif not isinstance(kind, str):
        found = kind_of(kind) if "type" in part else "missing"
        yield "part-invalid", f'{where}.type" must be a string, and is {found}'
    elif kind == "text":
        text = part.get("text")
        if not isinstance(text, str):
            found = kind_of(text) if "text" in part else "missing"
            yield "part-invalid", f'{where}.text" must be a string, and is {found}'
        elif not text.strip():
            yield "content-empty", f'{where}.text" must not be empty or of white space only: remove the part'


def _strange(message: object, where: str) -> Told:
    if not isinstance(message, dict):
        return
    role, content = message.get("role"), message.get("content")
    if isinstance(role, str) and (advice := _ROLES.get(role.lower())):
        yield "role-invalid", f'{where}.role" is "{role}", which the Messages API does not have: {advice}'
    for number, part in enumerate(content if isinstance(content, list) else ()):
        if isinstance(part, dict) and (told := [*_strange_part(part, f"{where}.content[{number}]")]):
            yield from told
            return


def _strange_part(part: dict[str, Any], where: str) -> Told:
    kind, source = part.get("type"), part.get("source")
    if isinstance(kind, str) and kind in _PARTS:
        yield "part-invalid", f'{where}.type" is "{kind}", which the Messages API does not have: {_PARTS[kind]}'
    elif kind in ("image", "document"):  # it may be anything, also what has no hash
        if not isinstance(source, dict) or not isinstance(source.get("type"), str):
            yield "part-invalid", f'{where}.source" must be an object with a "type", like "base64" or "url"'
        elif source["type"] == "base64":
            yield from _strange_base64(source, where)
        elif source["type"] == "url" and not (isinstance(source.get("url"), str) and source["url"]):
            yield "part-invalid", f'{where}.source.url" must be a string that is not empty'
    elif kind == "tool_use" and not isinstance(part.get("input"), dict):
        yield "part-invalid", f'{where}.input" must be an object, and is {kind_of(part.get("input"))}'


def _strange_base64(source: dict[str, Any], where: str) -> Told:
    data, media = source.get("data"), source.get("media_type")
    if not isinstance(data, str) or not data:
        yield "part-invalid", f'{where}.source.data" must be a string of base64 that is not empty'
    elif data.startswith("data:"):
        yield "part-invalid", f'{where}.source.data" begins with "data:": leave out all up to the comma'
    if isinstance(media, str) and (right := _MEDIA.get(media.lower())) and media != right:
        yield "part-invalid", f'{where}.source.media_type" is "{media}"; did you mean "{right}"?'
