"""The template, and tables in Markdown."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped] # it ships no types

type Json = dict[str, Any]

PROJECT = Path(__file__).parents[2]


@functools.cache
def template() -> Json:
    """Return `template.yaml` with intrinsics in their long form: `!Ref Bucket` is `{"Ref": "Bucket"}`."""
    parsed: Json = yaml_parse((PROJECT / "template.yaml").read_text())
    return parsed


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, with a line end."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(
        "|" + "|".join(f" {cell.replace('|', '\\|')} " if cell else " " for cell in line) + "|\n" for line in lines
    )
