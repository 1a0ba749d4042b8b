"""Realistic drops, the same ones every time."""

import json
import random
from pathlib import Path
from typing import Any

_ENGLISH = (
    'The committee met on Tuesday and "agreed in principle" on the proposal, subject to three amendments. ',
    "Please summarise the complaint below in two sentences, and say which department should answer it.\n\n",
    "Our customer writes that the parcel arrived late, that one of the two boxes was open, and that nobody called. ",
    "Revenue rose by 4.2% to $1,204 million; operating costs (excluding one-offs) fell for the third year.\n",
    'It was, as she put it, "neither here nor there": the results could not be told from last year\'s. ',
)
_CODE = (
    'def mean(values: list[float]) -> float:\n    """Return the mean."""\n    return sum(values) / len(values)\n\n',
    'if (!response.ok) {\n\tthrow new Error(`HTTP ${response.status}: "${path}"`);\n}\n',
    "SELECT name, count(*) FROM orders\nWHERE placed >= '2026-01-01' AND path LIKE 'C:\\\\tmp\\\\%'\nGROUP BY name;\n",
)
_OTHER = (
    "Die Lieferung kam verspätet an; außerdem fehlte das „große“ Zubehör für die Küche.\n",
    "Le client a déjà été prévenu par courriel : il préfère être remboursé plutôt que de patienter à Noël. ",
    "お客様からのご要望は、来週の月曜日までに返品の手続きを完了することです。",
    "Клиент просит прислать счёт ещё раз — «по старому адресу». ",
    "Muchísimas gracias 🎉 por la atención, señor Núñez 👍\n",
)
_SYSTEM = (
    "You are a careful assistant of the claims department.\n"
    'Answer in JSON: {"department": "…", "summary": "…"}. Never invent names, dates or amounts. '
)
_IDS = ("r-{}", "article_{:07}", "customer-2026-11-23-{}", "{:032x}", "HumanEval_{}_temperature_0-7_sample_3")
_POOL = 40_000
"""Characters of each kind of text from which messages are cut."""
_FRAME = 150
"""Approximate bytes of a line besides its text."""


def write_drop(path: Path, size: int, requests: int, max_tokens: int = 512) -> None:
    """Write a drop of about `size` bytes, as Python's `json.dumps` does with `ensure_ascii=False`.

    Of the lines, 60% ask in English prose, with quotation marks and some line feeds, 20% about source code, where every
    tenth character is escaped, and 20% in other languages, with letters of two to four bytes. 30% have a system
    prompt, 10% two turns before the question, 20% a temperature. Ids have 3 to 40 characters that the provider
    accepts, too. Lengths vary by half around their mean.
    """
    chance = random.Random(requests)  # noqa: S311  # the same drop every time
    pools = [_pool(chance, kind) for kind in (_ENGLISH, _ENGLISH, _ENGLISH, _CODE, _OTHER)]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    written = 0
    with path.open("wb") as file:
        for number in range(requests):
            mean = (size - written) / (requests - number)
            params = _params(chance, chance.choice(pools), max(1, mean * chance.uniform(0.5, 1.5) - _FRAME), max_tokens)
            line = {"custom_id": chance.choice(_IDS).format(number), "params": params}
            written += file.write(encode(line).encode() + b"\n")


def _pool(chance: random.Random, kind: tuple[str, ...]) -> tuple[str, float]:
    """Return a long text of a kind, and its characters per byte of JSON."""
    text = ""
    while len(text) < _POOL:
        text += chance.choice(kind)
    return text, len(text) / len(json.dumps(text, ensure_ascii=False).encode())


def _params(chance: random.Random, pool: tuple[str, float], size: float, max_tokens: int) -> dict[str, Any]:
    """Return the params of a request with so many bytes of text."""
    text, share = pool
    params: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": max_tokens}
    if size > 2 * len(_SYSTEM) and chance.random() < 0.3:
        params["system"] = _SYSTEM
        size -= len(_SYSTEM)
    if chance.random() < 0.2:
        params["temperature"] = 0.5
    turns = 3 if chance.random() < 0.1 else 1
    params["messages"] = [
        {"role": ("user", "assistant")[turn % 2], "content": _cut(chance, text, int(size * share / turns))}
        for turn in range(turns)
    ]
    return params


def _cut(chance: random.Random, text: str, count: int) -> str:
    """Return so many characters of a text, at least one; the text is repeated if it is too short."""
    start = chance.randrange(len(text) // 2)
    return (text * (1 + 2 * count // len(text)))[start : start + max(1, count)]
