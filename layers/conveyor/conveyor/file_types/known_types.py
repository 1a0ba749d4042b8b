"""The types of files that are dropped by mistake: a name, advice, and the command that converts each to requests."""

from typing import NamedTuple

RECIPES = "docs/files.md, in the version of Conveyor that was deployed, has the recipe"
_REQUEST = (
    'one line {"custom_id": "…", "params": {"model": "…", "max_tokens": 1024, '
    '"messages": [{"role": "user", "content": "…"}]}} each'
)
ROW_ADVICE = f"make a request from each row, {_REQUEST}; {RECIPES}, From a table to requests"

PREPARE = "conveyor prepare {file}"
_PREPARE_FOLDER = "mkdir -p texts && cp {file} texts && conveyor prepare texts"


class FileType(NamedTuple):
    """A type of file that does not hold one request per line."""

    code: str
    what: str
    advice: str
    """What is wrong, or what to do. Quotes nothing from the file."""
    filter: str = ""
    """A shell command that reads the file and writes lines of requests."""
    tool: str = ""
    """A shell command that takes the file's name, `{file}`, as an argument."""
    powershell: str = ""
    """The same for Windows PowerShell, if such files usually come from there; `{output}` is the file it writes."""
    converts_in_place: bool = False
    """Whether the tool changes the file itself, instead of writing another one."""
    has_recipe: bool = False
    """Whether `docs/files.md` has a recipe, which writes another file."""
    prepare: str = ""
    """How the command begins that makes requests of it, too: `conveyor prepare`, with its name, `{file}`."""
    is_prepared_packed: bool = False
    """Whether that command unpacks it."""


_ONE_LINE_EACH = "each request must be one line"
_CONVERT_PYTHON_DICTS = (
    'python3 -c \'import ast, json, sys; sys.stdin.reconfigure(encoding="utf-8-sig"); '
    "[print(json.dumps(ast.literal_eval(x.strip()))) for x in sys.stdin if x.strip()]'"
)
_CONVERT_PYTHON_VALUE = (
    'python3 -c \'import ast, json, re, sys; sys.stdin.reconfigure(encoding="utf-8-sig"); '
    r'text = re.sub(r"([]}])\s*\n(?=\s*[[{])", r"\1,", sys.stdin.read()); '
    'values = ast.literal_eval("[" + text + "]"); '
    "[print(json.dumps(x)) for each in values for x in (each if isinstance(each, list) else [each])]'"
)
"""No string of Python's own notation contains a line feed: a bracket before one ends a value."""
_CONVERT_JSON_CELLS = (
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
"""The separator is the character next to the first quoted cell: JSON in a cell is always quoted."""
_CONVERT_REQUESTS_BY_ID = "jq -c 'to_entries[] | {custom_id: .key} + .value'"
_CONVERT_PARAMS_BY_ID = "jq -c 'to_entries[] | {custom_id: .key, params: .value}'"
_CONVERT_ARRAY_WITH_COMMA = r"tr -d '\r\n' | sed 's/,[[:space:]]*\][[:space:]]*$/]/' | jq -c '.[]'"
_CONVERT_COLUMNS = (
    "jq -c '. as $all | .custom_id | keys_unsorted[] | . as $row"
    " | {custom_id: $all.custom_id[$row], params: $all.params[$row]}'"
)
_CONVERT_SPLIT_TABLE = "jq -c '.columns as $names | .data[] | [$names, .] | transpose | map({(.[0]): .[1]}) | add'"
_TO_JSON = 'pandas writes one request per line with to_json(path, orient="records", lines=True)'

EMPTY_ARRAY = FileType("file-is-empty", "an empty JSON array", "check the program that wrote it")
ARRAY = FileType(
    "file-is-json-array",
    "a JSON array",
    f"{_ONE_LINE_EACH}, without the brackets and commas of an array",
    "jq -c '.[]'",
)
ARRAY_WITH_COMMA = ARRAY._replace(
    what="a JSON array with a comma after its last element", filter=_CONVERT_ARRAY_WITH_COMMA
)
ARRAY_CUT = ARRAY._replace(what="a truncated JSON array", advice="write the file again", filter="")
LINES_WITH_COMMAS = FileType(
    "file-has-commas", "lines with a comma after each request", _ONE_LINE_EACH, "sed 's/,[[:space:]]*$//'"
)
OBJECTS_WITH_COMMAS = LINES_WITH_COMMAS._replace(filter="(echo '['; cat; echo ']') | jq -c '.[]'")
PRETTY_JSON = FileType("file-is-pretty-json", "JSON with each request on several lines", _ONE_LINE_EACH, "jq -c .")
BROKEN_PRETTY_JSON = FileType(PRETTY_JSON.code, "multi-line JSON with a syntax error", f"correct it; {_ONE_LINE_EACH}")
OBJECTS_ON_ONE_LINE = FileType("file-has-one-line", "several JSON objects on one line", _ONE_LINE_EACH, "jq -c .")
CARRIAGE_RETURNS = FileType(
    "file-has-cr-lines",
    "text whose lines end with a carriage return only",
    "lines must end with a line feed",
    r"tr '\r' '\n'",
)
REQUEST_BODY = FileType("file-is-request-body", "one JSON object with all requests", _ONE_LINE_EACH)
TABLE_BY_COLUMN = FileType("file-is-json-table", "one JSON object with a table by column", _TO_JSON, _CONVERT_COLUMNS)
TABLE_BY_ROW = TABLE_BY_COLUMN._replace(what="one JSON object with a table by row", filter="jq -c '.[]'")
REQUESTS_BY_ID = FileType(
    "file-is-keyed-by-id", "one JSON object with requests under their ids", _ONE_LINE_EACH, _CONVERT_REQUESTS_BY_ID
)
PARAMS_BY_ID = REQUESTS_BY_ID._replace(filter=_CONVERT_PARAMS_BY_ID)
NOTEBOOK = FileType("file-is-notebook", "a Jupyter notebook", "run it, and drop the file of requests that it writes")
TABLE_SPLIT = TABLE_BY_COLUMN._replace(what="one JSON object with column names and rows", filter=_CONVERT_SPLIT_TABLE)
JSON_STRINGS = FileType(
    "file-is-json-strings", "lines of JSON strings that contain JSON", "it was encoded twice", "jq -r ."
)
PYTHON_DICTS = FileType(
    "file-is-python",
    "lines of Python dictionaries, not JSON",
    "write them with json.dumps instead of str",
    _CONVERT_PYTHON_DICTS,
)
PYTHON_VALUE = PYTHON_DICTS._replace(what="a Python value, not JSON", filter=_CONVERT_PYTHON_VALUE)
JSON_SEQUENCE = FileType(
    "file-is-json-sequence", "a JSON text sequence", "lines must not begin with a record separator", r"tr -d '\036'"
)
SERVER_ERROR = FileType("file-is-error", "a server's error response", "download the file again: curl --fail")
S3_ERROR = SERVER_ERROR._replace(
    what="an S3 error response", advice="download the file again: aws s3 cp prints why it fails"
)
WEB_PAGE = FileType(
    "file-is-web-page", "a web page (HTML)", "download the file itself: curl --fail prints why it fails"
)
XML = FileType("file-is-xml", "XML", f"make a request from each record, {_REQUEST}")
YAML = FileType("file-is-yaml", "YAML", "write it as JSON, with one request per line")
LOG = FileType(
    "file-is-log",
    "lines with other text before a JSON object (a log, or grep output)",
    "drop the original file of requests; if only the log exists, extract the requests from it, each from its { on",
)
TABLE = FileType("file-is-table", "a table", ROW_ADVICE, has_recipe=True, prepare=PREPARE, is_prepared_packed=True)
RECORDS = TABLE._replace(
    code="file-is-records",
    what="lines of JSON records, not requests",
    advice=f"make a request from each record, {_REQUEST}; {RECIPES}, From JSON records to requests",
)
ARRAY_OF_RECORDS = RECORDS._replace(code=ARRAY.code, what="a JSON array of records, not requests")
TABLE_OF_JSON = FileType(
    "file-is-table", "a table whose cells contain JSON", "requests must not be quoted", _CONVERT_JSON_CELLS
)
TEXT = FileType(
    "file-is-text",
    "text, not JSON",
    f"if its lines are prompts, make a request from each, {_REQUEST}; {RECIPES}, From a text to requests",
    has_recipe=True,
    prepare=_PREPARE_FOLDER,
)
TEXT_OF_REQUESTS = FileType(
    TEXT.code,
    "text that mentions custom_id or params, but not JSON",
    "write each request as one line of JSON, with a JSON library",
)
BINARY = FileType("file-is-binary", "not text", "check which program wrote it, and save it as JSON Lines in UTF-8")


def body_under(name: str) -> FileType:
    """Return the type of a file whose requests are an array under a name."""
    return REQUEST_BODY._replace(what=f'one JSON object with all requests under "{name}"', filter=f"jq -c '.{name}[]'")


def table_of(separator: str) -> FileType:
    """Return the type of a table with this separator."""
    return TABLE._replace(what=f"a table (CSV) with {separator} between its columns")
