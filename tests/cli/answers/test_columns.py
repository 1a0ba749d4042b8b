"""Which columns a table of answers has, and which rows."""

import json
import os

import pytest

from tests.cli.answers.answered import Answered, answer, failure, result, types_of

OURS = ["model", "stop_reason", "input_tokens", "output_tokens", "outcome", "error_type", "error"]


def test_the_columns_and_their_order(answered: Answered) -> None:
    """The id, what was carried along in the order in which it comes, the text, and how the request has ended."""
    answered.write(answer("a", "one", zone="EU"), answer("b", "two", age=7, zone="US"), failures=(failure("c", 3),))
    said = answered.table()
    assert said["columns"] == ["custom_id", "zone", "age", "text", *OURS]
    assert (said["v"], said["rows"], said["file"], said["joined"]) == (1, 3, "out.csv", None)
    last = answered.rows()[2]
    assert last == dict.fromkeys(said["columns"]) | {
        "custom_id": "c",
        "outcome": "expired",
        "error_type": "expired_error",
        "error": "it expired",
    }


def test_results_and_failures_come_in_the_order_of_the_drop(answered: Answered) -> None:
    """A failure stands at its line."""
    results = [answer(name) for name in "bdef"]
    answered.write(*results, failures=(failure("a", 1), failure("c", 3), failure("g", 7)))
    assert [row["custom_id"] for row in answered.rows()] == list("abcdefg")


def test_results_in_no_order_come_before_the_failures(answered: Answered) -> None:
    """Where they belong is not known, and that is said."""
    answered.write(answer("b"), answer("a"), failures=(failure("c", 1),), ordered=False)
    said = answered.table()
    assert [row["custom_id"] for row in answered.rows()] == ["b", "a", "c"]
    assert said["notes"] == ["Failures are at the end: their places among the results are not known."]


def test_answers_that_are_objects_become_a_column_for_each_field(answered: Answered) -> None:
    """Each has the type that all of its values have; an array or an object is JSON in a text."""
    fields = [{"label": "bug", "score": 0.5, "sure": True, "tags": ["a", "b"]}, {"label": None, "score": 2, "n": 2**60}]
    answered.write(*[answer(str(at), json.dumps(each)) for at, each in enumerate(fields)])
    rows = answered.rows(output="out.parquet")
    assert list(rows[0]) == ["custom_id", "label", "score", "sure", "tags", "n", *OURS]
    assert [list(row.values())[1:6] for row in rows] == [
        ["bug", 0.5, True, '["a", "b"]', None],
        [None, 2.0, None, None, 2**60],
    ]
    types = types_of(answered.home / "out.parquet")
    assert [types[name] for name in ("label", "score", "sure", "tags", "n", "input_tokens")] == [
        "VARCHAR", "DOUBLE", "BOOLEAN", "VARCHAR", "BIGINT", "BIGINT",
    ]  # fmt: skip


def test_an_answer_that_is_no_object_keeps_its_text(answered: Answered) -> None:
    """Also one that was cut off: nothing is lost."""
    answered.write(answer("a", '{"label": "x"}'), answer("b", '{"label": "y'), answer("c", '{"label": "z"}'))
    rows = answered.rows()
    assert [(row["label"], row["text"]) for row in rows] == [("x", None), (None, '{"label": "y'), ("z", None)]


def test_a_single_object_among_texts_is_a_text(answered: Answered) -> None:
    """Fields become columns if at least half of the answers have some, or if they are named."""
    answered.write(answer("a", "one"), answer("b", '{"label": "x"}'), answer("c", "two"))
    assert [row["text"] for row in answered.rows()] == ["one", '{"label": "x"}', "two"]
    assert [row["label"] for row in answered.rows("--fields", "label")] == [None, "x", None]


def test_fields_are_chosen_by_name(answered: Answered) -> None:
    """A name that no answer has is refused, with those that there are."""
    answered.write(answer("a", '{"b": 1, "a": 2, "c": 3}'))
    assert list(answered.rows("--fields", "c, a")[0])[1:3] == ["c", "a"]
    (answered.home / "out.csv").unlink()
    words = answered.refused("--fields", "a,lable")
    assert words == '✗ No answer has a field "lable"\n  They have: b, a, c.\n  Nothing was written.\n'


def test_answers_without_a_common_form_stay_texts(answered: Answered) -> None:
    """501 fields are no columns."""
    answered.write(*[answer(str(at), json.dumps({f"k{at}": 1})) for at in range(501)])
    said = answered.table()
    assert said["columns"][:2] == ["custom_id", "text"]
    assert said["notes"] == [
        "The answers have more than 500 different fields: they are in one column. Name some: --fields."
    ]


def test_columns_of_the_same_name(answered: Answered) -> None:
    """The user's keep their names; ours make way, and that is said. Names in Parquet have no case."""
    answered.write(answer("a", '{"label": "x", "LABEL": "y"}', label="old", Model="m", model_answer="n"))
    (row,) = answered.rows(output="out.parquet")
    assert list(row.values())[1:7] == ["old", "m", "n", "x", "y", "claude-haiku-4-5"]
    assert list(row)[1:7] == ["label", "Model", "model_answer", "label_answer", "LABEL_2", "model_2"]
    assert answered.table()["notes"][0] == 'There is a column "label" already: the answer\'s is "label_answer".'


@pytest.mark.parametrize("output", ["out.csv", "out.xlsx", "out.parquet"])
def test_names_that_are_hardly_names(answered: Answered, output: str) -> None:
    """Quotes, line ends and formulas are kept; an empty name and a NUL are replaced."""
    names = ['say "hi"', "a,b", "two\nlines", "=1+1", "", "nul\0", "ünï", "select", "left_out", "c0"]
    answered.write(answer("a", "x", **{name: at for at, name in enumerate(names)}))
    (row,) = answered.rows(output=output)
    shown = ['say "hi"', "a,b", "two\nlines", "=1+1", "column", "nul\ufffd", "ünï", "select", "left_out", "c0"]
    assert [(name, int(value)) for name, value in list(row.items())[1:11]] == [*zip(shown, range(10), strict=True)]


@pytest.mark.parametrize("output", ["out.csv", "out.xlsx", "out.parquet"])
def test_a_table_without_rows_has_its_columns(answered: Answered, output: str) -> None:
    """No failures, say: that is no error, and a program can read the file."""
    answered.write(answer("a"))
    assert answered.table("--failed", output=output)["rows"] == 0
    assert answered.rows("--failed", output=output) == []


CHAT = {
    "model": "gpt",
    "choices": [{"message": {"role": "assistant", "content": "hello"}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}
BLOCKS = [
    {"type": "thinking", "thinking": "hm"},
    {"type": "text", "text": "a"},
    {"type": "text", "text": "b", "citations": [{"x": 1}]},
]
TOOL = [{"type": "tool_use", "id": "t", "name": "label", "input": {"label": "bug"}}]


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (CHAT, "hello"),
        ({"content": BLOCKS}, "ab"),
        ({"content": "plain"}, "plain"),
        ({"content": BLOCKS[:1]}, None),
        ({"content": [], "stop_reason": "refusal"}, None),
        ({"choices": [], "x": 1}, '{"choices": [], "x": 1}'),
        ({"output": [1, 2]}, '{"output": [1, 2]}'),
        ({"content": 7}, '{"content": 7}'),
        ({"choices": [7]}, '{"choices": [7]}'),
    ],
)
def test_the_text_of_answers_of_any_api(answered: Answered, response: object, text: str | None) -> None:
    """All text blocks as one; of what is unknown, the JSON as it is. Thinking is no text."""
    answered.write(result("a", response), answer("b", "x"), answer("c", "x"))
    assert answered.rows()[0]["text"] == text


@pytest.mark.parametrize(
    "response", [{"output": [1, 2]}, {"choices": []}, {"choices": [{"message": {"content": None}}]}]
)
def test_an_answer_in_an_unknown_form_has_no_fields(answered: Answered, response: object) -> None:
    """Its parts are the provider's: the model has written none of them."""
    answered.write(result("a", response))
    (row,) = answered.rows()
    assert list(row)[:2] == ["custom_id", "text"]
    assert row["text"] == json.dumps(response)


@pytest.mark.parametrize(("count", "label"), [(1, "bug"), (2, None)])
def test_a_chat_completion_that_only_calls_a_tool(answered: Answered, count: int, label: str | None) -> None:
    """Is what it is called with, as a message is."""
    call = {"type": "function", "function": {"name": "label", "arguments": '{"label": "bug"}'}}
    message = {"content": None, "tool_calls": [call] * count}
    answered.write(result("a", {"choices": [{"message": message}]}), answer("b", '{"label": "bug"}'))
    assert answered.rows()[0]["label"] == label


def test_a_chat_completion_has_the_names_of_a_message(answered: Answered) -> None:
    """Model, tokens and stop reason are in the same columns, by the names of the receipt."""
    answered.write(result("a", CHAT))
    assert list(answered.rows(output="out.xlsx")[0].values())[1:6] == ["hello", "gpt", "max_tokens", 5, 2]


def test_an_answer_that_only_calls_a_tool_is_what_it_is_called_with(answered: Answered) -> None:
    """So structured answers are made, too."""
    answered.write(result("a", {"content": TOOL}))
    assert answered.rows()[0]["label"] == "bug"


def test_tokens_of_the_cache_have_columns_only_if_there_are_any(answered: Answered) -> None:
    """Most runs use no cache."""
    usage = {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 9}
    answered.write(result("a", {"content": "x", "usage": usage}), answer("b"))
    rows = answered.rows(output="out.xlsx")
    assert [(row["cache_write_tokens"], row["cache_read_tokens"]) for row in rows] == [(0, 9), (0, 0)]


def test_failures_only(answered: Answered) -> None:
    """With their cause, and without the columns of answers."""
    answered.write(answer("a", zone=1), failures=(failure("b", 2, zone=2), failure("c", 3, "canceled")))
    rows = answered.rows("--failed")
    assert [list(row.values()) for row in rows] == [
        ["b", "2", "expired", "expired_error", "it expired"],
        ["c", None, "canceled", "canceled_error", "it canceled"],
    ]
    assert list(rows[0]) == ["custom_id", "zone", "outcome", "error_type", "error"]


def test_answers_that_ended_for_a_reason(answered: Answered) -> None:
    """Those that were cut off, say."""
    answered.write(answer("a"), answer("b", "half", "max_tokens"), failures=(failure("c", 3),))
    assert [row["text"] for row in answered.rows("--stop-reason", "max_tokens")] == ["half"]


def test_the_screen_says_why_cells_are_empty(answered: Answered) -> None:
    """Each reason that occurs has a line."""
    good = [answer(str(at), '{"label": "x", "why": 1}') for at in range(5)]
    others = [answer("c", '{"lab', "max_tokens"), answer("r", None, "refusal"), answer("n", '{"why": 1}')]
    answered.write(*good, *others, failures=(failure("f", 9),))
    ran = answered.type()
    assert [line.rstrip() for line in ran.out.splitlines()] == [
        "✓ 9 rows written to out.csv, 11 columns",
        "",
        "  label   5   filled",
        "          1   empty: answer cut off (column stop_reason)",
        "          1   empty: refused by the model (column stop_reason)",
        "          1   empty: failed (column error)",
        "          1   empty: not in the answer",
    ]
    assert answered.table()["answers"] == {
        "column": "label", "filled": 5, "cut_off": 1, "refused": 1, "failed": 1, "no_request": 0, "absent": 1,
    }  # fmt: skip


def test_wrong_usage_is_refused_before_anything_is_read(answered: Answered) -> None:
    """A file that exists is not replaced unless that is said."""
    answered.write(answer("a"))
    assert ".csv, .parquet, .xlsx" in answered.refused(output="out.txt")
    assert "--excel is for .csv" in answered.refused("--excel", output="out.xlsx")
    assert "--failed excludes" in answered.refused("--failed", "--stop-reason", "refusal")
    assert "--on names a column" in answered.refused("--on", "id")
    (answered.home / "out.csv").write_text("mine")
    ran = answered.type()
    assert (ran.exit, ran.error) == (2, "✗ out.csv exists already\n  Nothing was changed. Replace it with --force.\n")
    assert (answered.home / "out.csv").read_text() == "mine"


def test_what_is_no_file_is_not_replaced_by_one(answered: Answered) -> None:
    """A user who may do anything would lose a device."""
    answered.write(answer("a"))
    os.mkfifo(answered.home / "pipe.csv")
    ran = answered.type("--force", output="pipe.csv")
    assert (ran.exit, ran.error) == (2, "✗ pipe.csv is no file: name one\n  Nothing was changed.\n")
    assert (answered.home / "pipe.csv").is_fifo()
