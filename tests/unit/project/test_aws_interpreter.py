"""The interpreter of AWS CLI commands accepts what version 2 accepts, with the same meaning."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.shell.aws import PARAMETERS, Interpreter
from tests.support.shell.words import Misuse, options, pairs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=b", {"a": "b"}),
        ("a=b,c=d", {"a": "b", "c": "d"}),
        ("a=b,c", {"a": ["b", "c"]}),
        ("a=b,c,d=e", {"a": ["b", "c"], "d": "e"}),
        ("a=b\\,c,d=e", {"a": "b,c", "d": "e"}),
        ('a="b,c",d=e', {"a": "b,c", "d": "e"}),
        ("a='b=c'", {"a": "b=c"}),
        ("a=", {"a": ""}),
        ("a-b= c d ,e=f", {"a-b": "c d", "e": "f"}),
    ],
)
def test_shorthand_is_read_as_by_the_cli(text: str, value: dict[str, Any]) -> None:
    """The expected values are from the parser of the CLI."""
    assert pairs(text) == value


@pytest.mark.parametrize("text", ["", "a", "a=b,", "a=b,a=c", 'a="b', "a b=c", "a={b=c}", "a=[b]", "größe=1"])
def test_shorthand_that_the_cli_refuses_or_that_is_not_ours_is_refused(text: str) -> None:
    """A message must not use it."""
    with pytest.raises(Misuse):
        pairs(text)


@pytest.mark.parametrize("words", [["-x.jsonl"], ["--key"], ["--key", "-x"], ["--a", "b", "--a", "c"], ["-k", "v"]])
def test_words_that_begin_with_a_dash_are_options(words: list[str]) -> None:
    """A file with such a name therefore needs `./` before it, and such a value an equals sign."""
    with pytest.raises(Misuse):
        options(words)


def test_options_and_positional_arguments_are_distinguished() -> None:
    """A single dash is a positional argument."""
    assert options(["-", "--key=-x", "--name", "a b", "z"]) == ({"key": "-x", "name": "a b"}, ["-", "z"])


def test_an_option_that_is_a_list_takes_all_words_up_to_the_next_option() -> None:
    """Or one JSON list, as the CLI does."""
    lists = {"names"}
    assert options(["--names", "a", "b c", "--key", "k"], lists) == ({"names": '["a", "b c"]', "key": "k"}, [])
    assert options(["z", "--names", '["a"]'], lists) == ({"names": '["a"]'}, ["z"])


def test_a_flag_takes_no_value() -> None:
    """As `--reverse-order` of a history."""
    assert options(["--reverse", "z", "--key", "k"], flags={"reverse"}) == ({"reverse": "true", "key": "k"}, ["z"])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["s3", "mv", "a", "s3://b/c"],
        ["s3", "cp", "a"],
        ["s3", "cp", "a", "b"],
        ["s3", "cp", "s3://b/a", "s3://b/c", "--metadata", "a=b"],
        ["s3", "cp", "s3://b/a", "s3://b/c", "--copy-props", "none"],
        ["s3", "cp", "nowhere.jsonl", "s3://b/c"],
        ["s3api", "no-operation", "--bucket", "b"],
        ["s3api", "head-object", "--bucket", "b", "--name", "k"],
        ["s3api", "copy-object", "--bucket", "b", "--key", "k", "--copy-source", "b/k", "--metadata", "a=b,c"],
        ["s3api", "copy-object", "--bucket", "b", "--key", "k", "--copy-source", "b/k", "--metadata", "a=é"],
        ["s3api", "head-object", "--bucket", "b", "--key", "k", "again"],
        ["s3api", "head-object", "--bucket", "b", "--key", "fileb://k"],
        ["logs", "tail"],
        ["logs", "tail", "group", "--since", "yesterday"],
        ["logs", "tail", "group", "--color", "off"],
    ],
)
def test_any_other_command_is_refused(words: list[str], tmp_path: Path, client: Any) -> None:
    """It is refused before any request."""
    assert Interpreter(lambda _: client).run(words, tmp_path).exit == PARAMETERS


@pytest.fixture
def client() -> Any:
    """Return a client without a reachable server."""
    import boto3  # noqa: PLC0415 - slow

    nowhere = "http://127.0.0.1:1"
    keys: Any = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.client("s3", region_name="us-east-1", endpoint_url=nowhere, **keys)
