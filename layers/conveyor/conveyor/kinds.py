"""Kinds of files that are dropped by mistake: what each is called, and the one command that makes requests of it."""

from typing import NamedTuple

RECIPES = "docs/files.md has the recipe"


class Kind(NamedTuple):
    """What a file is that does not hold a request a line."""

    code: str
    what: str
    advice: str
    """What is wrong with that, or what to do about it; no quotes of the file."""
    filter: str = ""
    """A shell command that reads the file and writes lines of requests."""
    tool: str = ""
    """A shell command that puts the file itself in order; `{file}` stands for its name."""
    powershell: str = ""
    """The same for Windows PowerShell, where the file is likely to come from there; `{made}` is what it writes."""
    is_mended_in_place: bool = False
    """Whether the tool changes the file itself."""


_A_LINE = "each request must be one line"
_PYTHON = "python3 -c 'import ast, json, sys; [print(json.dumps(ast.literal_eval(x))) for x in sys.stdin if x.strip()]'"
_CELLS = (
    "python3 -c 'import csv, json, sys; csv.field_size_limit(2**31 - 1); "
    '[print(json.dumps(json.loads(x))) for row in csv.reader(sys.stdin) for x in row if x[:1] == "{"]\''
)
_NO_COMMA = r"tr -d '\r\n' | sed 's/,[[:space:]]*\][[:space:]]*$/]/' | jq -c '.[]'"
_COLUMNS = (
    "jq -c '. as $all | .custom_id | keys_unsorted[] | . as $row"
    " | {custom_id: $all.custom_id[$row], params: $all.params[$row]}'"
)
_SPLIT = "jq -c '.columns as $names | .data[] | [$names, .] | transpose | map({(.[0]): .[1]}) | add'"
_TO_JSON = 'pandas writes a request a line with to_json(path, orient="records", lines=True)'

EMPTY_ARRAY = Kind("file-is-empty", "an empty JSON array", "see what went wrong where it was made")
ARRAY = Kind("file-is-json-array", "a JSON array", f"{_A_LINE}, without brackets and commas around", "jq -c '.[]'")
ARRAY_WITH_COMMA = ARRAY._replace(what="a JSON array with a comma behind its last element", filter=_NO_COMMA)
ARRAY_CUT = ARRAY._replace(what="a JSON array that breaks off before its end", advice="make the file again", filter="")
COMMAS = Kind("file-has-commas", "a list with a comma behind each request", _A_LINE, "sed 's/,[[:space:]]*$//'")
COMMAS_BETWEEN = COMMAS._replace(filter="(echo '['; cat; echo ']') | jq -c '.[]'")
PRETTY = Kind("file-is-pretty-json", "JSON in which each request is written over several lines", _A_LINE, "jq -c .")
PRETTY_WITH_FAULTS = Kind(
    PRETTY.code, "text over several lines that begins as JSON and goes on as none", f"correct it; {_A_LINE}"
)
ONE_LINE = Kind("file-has-one-line", "a row of JSON objects on one line", _A_LINE, "jq -c .")
CARRIAGE_RETURNS = Kind(
    "file-has-cr-lines",
    "lines that end with a carriage return only",
    "lines must end with a line feed",
    r"tr '\r' '\n'",
)
BODY = Kind("file-is-request-body", "one JSON object that holds all requests", _A_LINE)
COLUMNS = Kind("file-is-json-table", "one JSON object that holds a table by columns", _TO_JSON, _COLUMNS)
BY_ROW = COLUMNS._replace(what="one JSON object that holds a table by rows", filter="jq -c '.[]'")
SPLIT = COLUMNS._replace(what="one JSON object that holds a table and its columns' names", filter=_SPLIT)
STRINGS = Kind("file-is-json-strings", "lines of JSON strings that hold JSON", "it was encoded twice", "jq -r .")
REPR = Kind(
    "file-is-python", "lines of Python dictionaries, not of JSON", "write them with json.dumps instead of str", _PYTHON
)
SEQUENCE = Kind(
    "file-is-json-sequence", "a JSON text sequence", "lines must not begin with a record separator", r"tr -d '\036'"
)
ERROR = Kind("file-is-error", "the answer of a server that reports an error", "download the file again: curl --fail")
S3_ERROR = ERROR._replace(what="an error page of S3", advice="download the file again: aws s3 cp says why it fails")
PAGE = Kind("file-is-web-page", "a web page (HTML)", "download the file itself: curl --fail says why it fails")
XML = Kind("file-is-xml", "XML", f"make a request of each record; {RECIPES}")
TABLE = Kind("file-is-table", "a table", f"make a request of each row; {RECIPES}, From a table to requests")
TABLE_OF_JSON = Kind("file-is-table", "a table whose cells hold JSON", "a request must not be quoted", _CELLS)
TEXT = Kind("file-is-text", "text, and no JSON", f"make a request of each prompt; {RECIPES}, From a text to requests")
BINARY = Kind("file-is-binary", "no text", "see which program made it, and save it as JSON Lines in UTF-8")


def body_under(name: str) -> Kind:
    """Return what a file is whose requests are an array under a name."""
    return BODY._replace(what=f'one JSON object with all requests under "{name}"', filter=f"jq -c '.{name}[]'")


def table_of(separator: str) -> Kind:
    """Return what a table is whose columns are separated so."""
    return TABLE._replace(what=f"a table (CSV) with {separator} between its columns")
