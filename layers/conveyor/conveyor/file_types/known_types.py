"""Kinds of files that are dropped by mistake: what each is called, and the one command that makes requests of it."""

from typing import NamedTuple

RECIPES = "docs/files.md, in the version of Conveyor that was deployed, has the recipe"
_REQUEST = (
    'one line {"custom_id": "…", "params": {"model": "…", "max_tokens": 1024, '
    '"messages": [{"role": "user", "content": "…"}]}} each'
)
A_ROW = f"make a request of each row, {_REQUEST}; {RECIPES}, From a table to requests"


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
    has_recipe: bool = False
    """Whether `docs/files.md` has a recipe, which writes another file."""


_A_LINE = "each request must be one line"
_PYTHON = (
    'python3 -c \'import ast, json, sys; sys.stdin.reconfigure(encoding="utf-8-sig"); '
    "[print(json.dumps(ast.literal_eval(x.strip()))) for x in sys.stdin if x.strip()]'"
)
_VALUES = (
    'python3 -c \'import ast, json, re, sys; sys.stdin.reconfigure(encoding="utf-8-sig"); '
    r'text = re.sub(r"([]}])\s*\n(?=\s*[[{])", r"\1,", sys.stdin.read()); '
    'values = ast.literal_eval("[" + text + "]"); '
    "[print(json.dumps(x)) for each in values for x in (each if isinstance(each, list) else [each])]'"
)
"""Where Python writes a value over several lines, no string has a line end in it: so a bracket before one closes."""
_CELLS = (
    "python3 -c 'import csv, io, json, re, sys; csv.field_size_limit(2**31 - 1); "
    r'text = re.sub(r"\Asep=.\s+", "", sys.stdin.buffer.read().decode("utf-8-sig")); '
    r'by = (re.findall(r"[,;\t|](?=\")|(?<=\")[,;\t|]", re.sub(r"\"[^\"]*\"", "\"", text)) or ",")[0]; '
    'rows = [x for x in csv.reader(io.StringIO(text, newline=""), delimiter=by, strict=True) if any(x)]; '
    'begin = 0 if any(x[:1] == "{" for x in rows[0]) else 1; '
    "names = [x.strip().lower() for x in rows[0]]; "
    'whole = lambda row: [x for x in (json.loads(x) for x in row if x[:1] == "{") '
    'if "custom_id" in x and x.keys() & {"params", "body"}]; '
    'joined = lambda row: [{"custom_id": row["custom_id"], x: json.loads(row[x])} for x in ("params", "body") '
    'if x in row and row.get("custom_id")]; '
    "found = [whole(x) or begin * joined(dict(zip(names, x))) for x in rows[begin:]]; "
    'all(found) or sys.exit(f"row {found.index([]) + begin + 1} has no request in a cell, nor custom_id and params"); '
    "[print(json.dumps(x)) for each in found for x in each]'"
)
"""The separator is what stands beside the first quoted cell: JSON in a cell is always quoted."""
_BY_ID = "jq -c 'to_entries[] | {custom_id: .key} + .value'"
_PARAMS_BY_ID = "jq -c 'to_entries[] | {custom_id: .key, params: .value}'"
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
BY_ID = Kind("file-is-keyed-by-id", "one JSON object that holds requests under their ids", _A_LINE, _BY_ID)
PARAMS_BY_ID = BY_ID._replace(filter=_PARAMS_BY_ID)
NOTEBOOK = Kind("file-is-notebook", "a Jupyter notebook", "run it, and drop the file of requests that it writes")
SPLIT = COLUMNS._replace(what="one JSON object that holds a table and its columns' names", filter=_SPLIT)
STRINGS = Kind("file-is-json-strings", "lines of JSON strings that hold JSON", "it was encoded twice", "jq -r .")
REPR = Kind(
    "file-is-python", "lines of Python dictionaries, not of JSON", "write them with json.dumps instead of str", _PYTHON
)
VALUES = REPR._replace(what="a Python value, not JSON", filter=_VALUES)
SEQUENCE = Kind(
    "file-is-json-sequence", "a JSON text sequence", "lines must not begin with a record separator", r"tr -d '\036'"
)
ERROR = Kind("file-is-error", "the answer of a server that reports an error", "download the file again: curl --fail")
S3_ERROR = ERROR._replace(what="an error page of S3", advice="download the file again: aws s3 cp says why it fails")
PAGE = Kind("file-is-web-page", "a web page (HTML)", "download the file itself: curl --fail says why it fails")
XML = Kind("file-is-xml", "XML", f"make a request of each record, {_REQUEST}")
YAML = Kind("file-is-yaml", "YAML", "write it as JSON, with one request a line")
LOG = Kind(
    "file-is-log",
    "lines with other words before a JSON object (a log, or what grep prints)",
    "drop the file of requests itself; where the log is all there is, take out the lines that are requests, from { on",
)
TABLE = Kind("file-is-table", "a table", A_ROW, has_recipe=True)
TABLE_OF_JSON = Kind("file-is-table", "a table whose cells hold JSON", "a request must not be quoted", _CELLS)
TEXT = Kind(
    "file-is-text",
    "text, and no JSON",
    f"if its lines are prompts, make a request of each, {_REQUEST}; {RECIPES}, From a text to requests",
    has_recipe=True,
)
TEXT_OF_REQUESTS = Kind(
    TEXT.code,
    "text that speaks of custom_id or params, and no JSON",
    "write each request as one line of JSON, with a JSON library",
)
BINARY = Kind("file-is-binary", "no text", "see which program made it, and save it as JSON Lines in UTF-8")


def body_under(name: str) -> Kind:
    """Return what a file is whose requests are an array under a name."""
    return BODY._replace(what=f'one JSON object with all requests under "{name}"', filter=f"jq -c '.{name}[]'")


def table_of(separator: str) -> Kind:
    """Return what a table is whose columns are separated so."""
    return TABLE._replace(what=f"a table (CSV) with {separator} between its columns")
