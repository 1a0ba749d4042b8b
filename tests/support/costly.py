"""Requests of every kind in many scripts, and what the worst tokenizer would make of them."""

import base64
import json
import zlib
from decimal import Decimal
from math import ceil
from typing import Any

from hypothesis import strategies as st

from conveyor.money.cost import costs_of, total_of
from conveyor.money.prices import PRICES
from conveyor.money.usage import Usage

SCRIPTS = {
    "Latin": "The quick brown fox, “jumps” over 13 lazy dogs.\n\t",
    "Cyrillic": "Клиент просит прислать счёт ещё раз",
    "Greek": "Ο πελάτης ζητά να σταλεί ξανά ο λογαριασμός",  # noqa: RUF001  # Greek
    "Arabic": "يطلب العميل إرسال الفاتورة مرة أخرى",
    "Hebrew": "הלקוח מבקש לשלוח שוב את החשבון",
    "Devanagari": "ग्राहक फिर से बिल भेजने को कहता है",
    "Thai": "ลูกค้าขอให้ส่งใบแจ้งหนี้อีกครั้ง",
    "Chinese": "客户要求再次发送账单",
    "Japanese": "お客様は請求書をもう一度送るよう求めています",
    "Korean": "고객이 청구서를 다시 보내 달라고 합니다",
    "emoji": "🎉👍🏽👩‍👩‍👧‍👦🇪🇺",
}
MODELS = ("claude-haiku-5-5", "claude-haiku-4-5-20251001", "claude-sonnet-5-5", "claude-opus-5-5", "claude-mythos-5")
PATCH, MOST_IMAGE_TOKENS, TOOL_PROMPT, AROUND_MESSAGE = 28, 4_784, 900, 4
"""The provider's rules: pixels of a patch, tokens of an image, of the prompt for tools, and around each message."""

texts = st.sampled_from(list(SCRIPTS.values())).flatmap(lambda letters: st.text(letters, min_size=1, max_size=300))
solid_texts = texts.filter(lambda text: bool(text.strip()))


def image(width: int, height: int) -> dict[str, Any]:
    """Make an image block: the beginning of a PNG file of that size, which is all that its tokens depend on."""
    size = width.to_bytes(4) + height.to_bytes(4)
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + size + b"\x08\x02\x00\x00\x00").decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def pdf(pages: int, text: str) -> dict[str, Any]:
    """Make a document block: a PDF whose pages have the same text, compressed, so that it has few bytes for each."""
    content = zlib.compress(f"BT /F1 12 Tf ({text}) Tj ET".encode(), 9)
    kids = " ".join(f"{number} 0 R" for number in range(3, 3 + pages))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode()]
    objects += [b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (3 + pages)] * pages
    objects.append(b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(content), content))
    body = b"".join(b"%d 0 obj%b endobj\n" % each for each in enumerate(objects, 1))
    data = base64.b64encode(b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF").decode()
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}


sizes = st.integers(1, 8000)
images = st.builds(image, sizes, sizes)
documents = solid_texts.map(lambda text: {"type": "document", "source": {"type": "text", "data": text}})
controls = st.sampled_from([None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])


@st.composite
def text_blocks(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a block of text, perhaps one that asks to be cached."""
    control = draw(controls)
    return {"type": "text", "text": draw(solid_texts)} | ({"cache_control": control} if control else {})


@st.composite
def tools(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a tool of the user's own."""
    properties: dict[str, Any] = draw(st.dictionaries(solid_texts, st.builds(dict, description=texts), max_size=3))
    schema = {"type": "object", "properties": properties}
    return {"name": "look_up", "description": draw(texts), "input_schema": schema}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the params of a valid request."""
    rich = st.lists(text_blocks() | images | documents, min_size=1, max_size=4)
    content = draw(solid_texts | st.lists(text_blocks(), min_size=1, max_size=3) | rich)
    params: dict[str, Any] = {"model": draw(st.sampled_from(MODELS)), "max_tokens": draw(st.integers(1, 128_000))}
    params["messages"] = [{"role": "user", "content": content}]
    if draw(st.booleans()):
        params["system"] = draw(solid_texts | st.lists(text_blocks(), min_size=1, max_size=2))
    if draw(st.booleans()):
        params["tools"] = [draw(tools())]
    return params


def line(number: int, params: dict[str, Any], *, ascii_only: bool) -> bytes:
    """Write a line of a drop, with every other character as an escape if `ascii_only`."""
    request = {"custom_id": f"r-{number}", "params": params}
    return json.dumps(request, ensure_ascii=ascii_only, separators=(",", ":")).encode() + b"\n"


def worst_tokens(params: dict[str, Any]) -> int:
    """Count a token for each byte of UTF-8, and images and prompts as the provider says."""
    prompts = [params.get("system", ""), *(message["content"] for message in params["messages"])]
    total = AROUND_MESSAGE * len(prompts) + sum(map(_worst_of, prompts))
    if params.get("tools"):
        total += TOOL_PROMPT + sum(_bytes(text) for text in _strings(params["tools"]))
    return total


def worst_cost(params: dict[str, Any]) -> Decimal:
    """Return what the request costs if all of its prompt is written to the cache, where it asks for that, in the US.

    Its answer has as many tokens as it may have.
    """
    price = PRICES.of(params["model"])
    assert price is not None
    tokens, asked = worst_tokens(params), json.dumps(params)
    if "cache_control" not in asked:
        usage = Usage(tokens, params["max_tokens"])
    else:
        usage = Usage(0, params["max_tokens"], tokens)
        usage.cache_creation_1h_input_tokens = tokens if '"ttl"' in asked else 0
    return total_of(costs_of(price, usage, place="us", is_long=price.is_long(tokens)))


def _worst_of(content: Any) -> int:
    if isinstance(content, str):
        return _bytes(content)
    return sum(map(_worst_of_block, content))


def _worst_of_block(block: dict[str, Any]) -> int:
    if block["type"] == "text":
        return _bytes(block["text"])
    source = block["source"]
    if source["type"] == "text":
        return _bytes(source["data"])
    header = base64.b64decode(source["data"])
    width, height = (int.from_bytes(header[at : at + 4]) for at in (16, 20))
    return min(MOST_IMAGE_TOKENS, ceil(width / PATCH) * ceil(height / PATCH))


def _strings(value: Any) -> list[str]:
    match value:
        case dict():
            return [*value, *(text for each in value.values() for text in _strings(each))]
        case list():
            return [text for each in value for text in _strings(each)]
        case _:
            return [value] if isinstance(value, str) else []


def _bytes(text: str) -> int:
    return len(text.encode())
