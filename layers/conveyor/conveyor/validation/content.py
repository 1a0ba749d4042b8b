"""Messages and system prompts that no model accepts.

Anything that depends on the model is accepted: a final message of the assistant, for example. The provider's errors for
the rest: "messages: text content blocks must contain non-whitespace text", "Input should be a valid dictionary".
"""

from collections.abc import Iterator
from typing import Any

from conveyor.domain.findings import Problem
from conveyor.validation.body_fields import describe_type

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
    "input_audio": "audio is not supported", "audio_url": "audio is not supported",
    "video_url": "video is not supported",
}  # fmt: skip
"""Types of parts of other APIs."""
_MEDIA = {"image/jpg": "image/jpeg", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}


def messages_problems(messages: list[Any], *, strict: bool) -> Iterator[Problem]:
    """Yield the problems of the first invalid message. `strict`: also what only other APIs accept."""
    for number, message in enumerate(messages):
        if _is_plain(message):
            continue
        where = f'"params.messages[{number}]'
        is_last = number == len(messages) - 1
        problems = [*_message_problems(message, where, is_last=is_last)]
        problems += _other_api_problems(message, where) if strict else ()
        if problems:
            yield from problems
            return


def system_problems(system: object) -> Iterator[Problem]:
    """Yield the problems of a system prompt: it must be a string, which may be empty, or an array of parts."""
    match system:
        case None | "":
            return
        case str() as text if text.isspace():
            yield "system-invalid", '"params.system" contains only white space: remove it'
        case str():
            return
        case list() as parts:
            for number, part in enumerate(parts):
                if problems := [*_part_problems(part, f'"params.system[{number}]')]:
                    yield from problems
                    return
        case _:
            yield (
                "system-invalid",
                f'"params.system" is {describe_type(system)}; it must be a string or an array of parts',
            )


def _is_plain(message: object) -> bool:
    """Return whether a message is a valid one of the most usual form."""
    if type(message) is not dict or message.get("role") not in (
        "user",
        "assistant",
        "system",
    ):  # a role may be unhashable
        return False
    text = message.get("content")
    return type(text) is str and bool(text) and not text.isspace()


def _message_problems(message: object, where: str, *, is_last: bool) -> Iterator[Problem]:
    if not isinstance(message, dict):
        form = '{"role": "user", "content": …}'
        yield "message-invalid", f'{where}" is {describe_type(message)}; it must be an object like {form}'
        return
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str):
        actual = describe_type(role) if "role" in message else "missing"
        yield "role-invalid", f'{where}.role" is {actual}; it must be the string "user" or "assistant"'
    if isinstance(content, list) and content:
        for number, part in enumerate(content):
            if problems := [*_part_problems(part, f"{where}.content[{number}]")]:
                yield from problems
                return
    elif isinstance(content, str | list):
        if not content and is_last and role == "assistant":
            return  # only this message may be empty
        if isinstance(content, list) or not content.strip():
            actual = "a string of white space only" if content else describe_type(content)
            yield "content-empty", f'{where}.content" is {actual}; it must not be empty'
    else:
        actual = describe_type(content) if "content" in message else "missing"
        yield "content-invalid", f'{where}.content" is {actual}; it must be a string or an array of parts'


def _part_problems(part: object, where: str) -> Iterator[Problem]:
    part_type = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict):
        form = '{"type": "text", "text": …}'
        yield "part-invalid", f'{where}" is {describe_type(part)}; it must be an object like {form}'
    elif not isinstance(part_type, str):
        actual = describe_type(part_type) if "type" in part else "missing"
        yield "part-invalid", f'{where}.type" is {actual}; it must be a string'
    elif part_type == "text":
        text = part.get("text")
        if not isinstance(text, str):
            actual = describe_type(text) if "text" in part else "missing"
            yield "part-invalid", f'{where}.text" is {actual}; it must be a string'
        elif not text.strip():
            yield "content-empty", f'{where}.text" is empty or contains only white space: remove the part'


def _other_api_problems(message: object, where: str) -> Iterator[Problem]:
    if not isinstance(message, dict):
        return
    role, content = message.get("role"), message.get("content")
    if isinstance(role, str) and (advice := _ROLES.get(role.lower())):
        yield "role-invalid", f'{where}.role" is "{role}", which the Messages API does not support: {advice}'
    for number, part in enumerate(content if isinstance(content, list) else ()):
        if isinstance(part, dict) and (problems := [*_other_api_part_problems(part, f"{where}.content[{number}]")]):
            yield from problems
            return


def _other_api_part_problems(part: dict[str, Any], where: str) -> Iterator[Problem]:
    part_type, source = part.get("type"), part.get("source")
    if isinstance(part_type, str) and part_type in _PARTS:
        problem = f'is "{part_type}", which the Messages API does not support: {_PARTS[part_type]}'
        yield "part-invalid", f'{where}.type" {problem}'
    elif part_type in ("image", "document"):  # a tuple: the type may be unhashable
        if not isinstance(source, dict) or not isinstance(source.get("type"), str):
            yield "part-invalid", f'{where}.source" must be an object with a "type" such as "base64" or "url"'
        elif source["type"] == "base64":
            yield from _base64_problems(source, where)
        elif source["type"] == "url" and not (isinstance(source.get("url"), str) and source["url"]):
            yield "part-invalid", f'{where}.source.url" must be a non-empty string'
    elif part_type == "tool_use" and not isinstance(part.get("input"), dict):
        yield "part-invalid", f'{where}.input" is {describe_type(part.get("input"))}; it must be an object'


def _base64_problems(source: dict[str, Any], where: str) -> Iterator[Problem]:
    data, media = source.get("data"), source.get("media_type")
    if not isinstance(data, str) or not data:
        yield "part-invalid", f'{where}.source.data" must be a non-empty base64 string'
    elif data.startswith("data:"):
        yield "part-invalid", f'{where}.source.data" begins with "data:": remove everything up to the comma'
    if isinstance(media, str) and (known := _MEDIA.get(media.lower())) and media != known:
        yield "part-invalid", f'{where}.source.media_type" is "{media}"; did you mean "{known}"?'
