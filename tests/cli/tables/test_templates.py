"""Prompts, models and other parts of a request."""

import json

import pytest

from tests.cli.tables.conftest import MODEL, Desk, prompts

TABLE = '''\
ticket,text,Customer Name,items,limit,model
t-1,"Hello ""you""",Ann,,512,claude-opus-5
t-2,Bye,,3,,claude-haiku-4-5
'''
COLUMNS = ["ticket", "text", "Customer Name", "items", "limit", "model"]
HAS = f"tickets.csv has: {', '.join(COLUMNS)}"


@pytest.fixture
def table(desk: Desk) -> Desk:
    """Return a folder with a table."""
    desk.write("tickets.csv", TABLE)
    return desk


RENDERED = {
    "a name": ("{{ text }}", 'Hello "you"'),
    "any name": ('{{ row["Customer Name"] }}: {{ row.text }}', 'Ann: Hello "you"'),
    "a name of Python": ('[{{ items }}{{ row["items"] }}]', "[]"),
    "a condition": ("{% if items %}{{ items }}{% else %}none{% endif %}", "none"),
    "filters": ("{{ text | upper | replace('O', '0') }}", 'HELL0 "Y0U"'),
    "all columns": ("{% for name in row %}{{ name }};{% endfor %}", "ticket;text;Customer Name;items;limit;model;"),
    "raw": ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    "no HTML": ("<b>{{ text }}</b>", '<b>Hello "you"</b>'),
    "JSON": ("{{ [text] | tojson }}", r'["Hello \"you\""]'),
    "a set variable": ("{% set x = text %}{{ x }}", 'Hello "you"'),
}


@pytest.mark.parametrize(("prompt", "rendered"), RENDERED.values(), ids=RENDERED)
def test_a_prompt(table: Desk, prompt: str, rendered: str) -> None:
    """Is Jinja, with the columns by name."""
    assert prompts(table.prepare("tickets.csv", "--limit", "1", prompt=prompt)) == [rendered]


REFUSED = {
    "a column that is not there": (
        "{{ text }} {{ body }}", f'prompt.md uses "body"; {HAS}',
    ),
    "another name that is not there": (
        '{{ row["body"] }}', f'prompt.md uses "body"; {HAS}',
    ),
    "the same one twice": (
        '{{ row["body"] }} {{ row["body"] }}', f'prompt.md uses "body"; {HAS}',
    ),
    "a syntax error": (
        "a\n{{ text", "prompt.md, line 2: unexpected end of template, expected 'end of print statement'.",
    ),
    "an unknown filter": ("{{ text | shout }}", "prompt.md, line 1: No filter named 'shout'."),
    "another file": (
        'a\n{% include "x" %}', "prompt.md, line 2: a prompt is one file: include, import and extends are not read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("prompt", "told"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_prompt(table: Desk, prompt: str, told: str) -> None:
    """Is refused before anything is written."""
    assert table.refused("tickets.csv", prompt=prompt, exit_code=2)[0] == told


def test_a_table_of_many_columns(desk: Desk) -> None:
    """Is not listed as a whole."""
    desk.write("t.csv", ",".join(f"c{number}" for number in range(50)) + "\n" + "," * 49 + "\n")
    assert desk.refused("t.csv", exit_code=2)[0].endswith("c18, c19 and 30 more")


FAILS = {
    "a mistake in one row": ("a\n{{ text.x.y }}", "row 1: prompt.md, line 2: 'str object' has no attribute 'x'"),
    "a sum": ("{{ items + 1 }}", 'row 1: prompt.md, line 1: can only concatenate str (not "int") to str'),
    "the sandbox": ("{{ text.__class__.__mro__ }}", "row 1: prompt.md, line 1: "),
    "a method": (
        "{{ text }}{{ row.items }}", 'row 1: prompt.md, line 1: this is a function, not a column: write row["name"]',
    ),
    "without a message": ("{{ 1 // 0 }}{{ text }}", "row 1: prompt.md, line 1: ZeroDivisionError"),
    "a cell as a name": ("{{ {}[text] }}", "row 1: prompt.md, line 1: 'dict object' has no attribute"),
    "too much": ("{{ text * 10**13 }}", "row 1: prompt.md, line 1: MemoryError"),
    "itself again": (
        "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(text) }}", "row 1: prompt.md, line 1: RecursionError",
    ),
    "half of a character": (
        r'{{ text }}{{ "\ud83d\ude00" }}',
        r'row 1: prompt.md: "\ud83d" is half of a character: write the character itself',
    ),
    "endless": ("{% for i in range(10000000) %}{{ text }}{% endfor %}", "row 1: prompt.md, line 1: OverflowError"),
}  # fmt: skip


@pytest.mark.parametrize(("prompt", "told"), FAILS.values(), ids=FAILS)
def test_a_prompt_that_fails_for_a_row(table: Desk, prompt: str, told: str) -> None:
    """The row and the line are named, without a traceback, and no cell is shown."""
    words = table.refused("tickets.csv", prompt=prompt)
    assert words[1].startswith(told)
    assert "Hello" not in "".join(words)


def test_a_column_that_is_used_twice(table: Desk) -> None:
    """Leaves the others to be kept, however it is written."""
    (found,) = table.prepare("tickets.csv", "--limit", "1", prompt='{{ row["text"] }} {{ row.text }} {{ row["text"] }}')
    assert list(found)[2:] == ["ticket", "Customer Name", "items", "limit", "model"]


def test_a_variable_named_row(desk: Desk) -> None:
    """Is what the template makes of it, not the row of the table."""
    desk.write("t.jsonl", '{"lines": [{"sku": "a"}, {"sku": "b"}], "note": "n"}\n')
    (found,) = desk.prepare("t.jsonl", prompt="{% for row in lines %}{{ row.sku }}{% endfor %}")
    assert prompts([found]) == ["ab"]
    assert found["note"] == "n"


def test_a_system_prompt(table: Desk) -> None:
    """Is a template, too; where it is empty, the request has none."""
    table.write("system.md", '{{ row["Customer Name"] }}\n')
    found = table.prepare("tickets.csv", "--system", "system.md")
    assert [each["params"].get("system") for each in found] == ["Ann", None]
    assert "Customer Name" not in found[0]


def test_a_cached_system_prompt(table: Desk) -> None:
    """Is marked for an hour. If it differs by row, a note says so."""
    table.write("system.md", "Be kind.\n")
    cached, _ = table.prepare("tickets.csv", "--system", "system.md", "--cache-system")
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert cached["params"]["system"] == [{"type": "text", "text": "Be kind.", "cache_control": mark}]
    shown = table.type("tickets.csv", "--system", "system.md", "--cache-system", "--force").out
    assert "system      cached for an hour: Be kind.\n" in shown
    assert "differs by row" not in shown
    table.write("system.md", '{{ row["Customer Name"] }}\n')
    shown = table.type("tickets.csv", "--system", "system.md", "--cache-system", "--force").out
    assert "! Customer Name differs by row" in shown


def test_no_system_prompt_to_be_cached(table: Desk) -> None:
    """Nothing would be cached, so nothing is written."""
    words, *_ = table.refused("tickets.csv", "--cache-system", exit_code=2)
    assert words == "--cache-system needs --system: that prompt is cached"


def test_columns_for_the_model_and_the_longest_answer(table: Desk) -> None:
    """An empty cell means the option."""
    found = table.prepare("tickets.csv", "--model-column", "model", "--max-tokens-column", "limit", "--max-tokens", "9")
    assert [(each["params"]["model"], each["params"]["max_tokens"]) for each in found] == [
        ("claude-opus-5", 512), (MODEL, 9),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "9" * 40])
def test_what_is_no_longest_answer(desk: Desk, value: str) -> None:
    """The row is named."""
    desk.write("t.csv", f"text,limit\na,{value}\n")
    told = desk.refused("t.csv", "--max-tokens-column", "limit")
    assert told[1] == 'row 1: "limit" is no whole number of at least 1'


def test_a_row_without_a_model(desk: Desk) -> None:
    """Is named."""
    desk.write("t.csv", "text,model\na,\n")
    assert desk.refused("t.csv", "--model-column", "model")[1] == 'row 1: "model" names no model'


def test_a_schema(table: Desk) -> None:
    """Is the form of the answer, in the field of the current API."""
    schema = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}
    table.write("schema.json", json.dumps(schema))
    (found,) = table.prepare("tickets.csv", "--schema", "schema.json", "--limit", "1")
    assert found["params"]["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


@pytest.mark.parametrize("content", ["", "[]", '"object"', "{}", '{"type": 1}', "{type: object}"])
def test_what_is_no_schema(table: Desk, content: str) -> None:
    """Is refused before anything is read."""
    table.write("schema.json", content)
    told = table.refused("tickets.csv", "--schema", "schema.json", exit_code=2)
    assert told[0] == 'schema.json is no JSON Schema: it must be a JSON object with a "type"'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            '{"type": "object", "properties": null}',
            'schema.json is no JSON Schema: its "properties" must be a JSON object',
        ),
        (f'{{"type": "object", "x": {"[" * 400}{"]" * 400}}}', "schema.json is nested too deeply for a schema"),
    ],
)
def test_an_odd_schema(table: Desk, content: str, told: str) -> None:
    """Is refused before there is a file."""
    table.write("schema.json", content)
    assert table.refused("tickets.csv", "--schema", "schema.json", exit_code=2)[0] == told


def test_a_schema_with_a_byte_order_mark(table: Desk) -> None:
    """As Windows writes it, it is read."""
    table.write("schema.json", '\ufeff{"type": "object"}')
    assert table.prepare("tickets.csv", "--schema", "schema.json")


KEPT = {
    "by default": ([], ["ticket", "Customer Name", "items", "limit", "model"]),
    "by default, with ids that are used": (
        ["--id", "text"],
        ["ticket", "text", "Customer Name", "items", "limit", "model"],
    ),
    "none": (["--keep", "none"], []),
    "all": (["--keep", "all"], ["ticket", "text", "Customer Name", "items", "limit", "model"]),
    "some": (["--keep", "Customer Name, ticket"], ["Customer Name", "ticket"]),
}


@pytest.mark.parametrize(("options", "kept"), KEPT.values(), ids=KEPT)
def test_columns_that_are_kept(table: Desk, options: list[str], kept: list[str]) -> None:
    """They are beside the request, in their order."""
    assert list(table.prepare("tickets.csv", *options)[0])[2:] == kept


@pytest.mark.parametrize(
    "name", ["response", "error", "line", "outcome", "retryable", "params", "system", "temperature"]
)
def test_a_column_that_cannot_be_kept(desk: Desk, name: str) -> None:
    """Is left out with a note; if it is named, it is refused."""
    desk.write("t.csv", f"text,{name}\na,b\n")
    ran = desk.type("t.csv")
    assert f'! "{name}" is not kept: ' in ran.out
    assert desk.requests("t.jsonl")[0].keys() == {"custom_id", "params"}
    assert desk.refused("t.csv", "--keep", name, exit_code=2)[0].startswith(f'"{name}" cannot be kept: ')


@pytest.mark.parametrize("option", ["--id", "--model-column", "--max-tokens-column", "--skip-empty", "--keep"])
def test_an_option_with_a_column_that_is_not_there(desk: Desk, option: str) -> None:
    """Names those that are."""
    desk.write("t.csv", "text,note\na,b\n")
    assert desk.refused("t.csv", option, "nope", exit_code=2)[0] == f'{option} names "nope"; t.csv has: text, note'
