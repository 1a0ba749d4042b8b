"""Keys beside `custom_id` and `params` are not sent, and come back with the outcome of their line."""

from typing import Any

import orjson
import pytest

from conveyor.domain import keys
from conveyor.domain.plan import decode_plan
from tests.support.belt import Belt, request
from tests.support.probes import PROBED
from tests.support.promises import check
from tests.support.rounds import FAILS, failing_at_first
from tests.support.settings import STACK_SETTINGS

WRITTEN = (
    '"ticket" : 480006,"price":1.50e3, "note":null,"größe":"🙂 \\u00e9, \\"x\\"","nested":{"b":[1 ,2],"a":{}}'.encode()
)
"""Members of a line as somebody may write them."""
COMES_BACK = (
    '"ticket":480006,"price":1.50e3,"note":null,"größe":"🙂 \\u00e9, \\"x\\"","nested":{"b":[1 ,2],"a":{}}'.encode()
)
OURS = ("response", "error", "line", "outcome", "retryable")


@pytest.fixture(params=[{"BATCH_API": "messages"}, {"BATCH_API": "files"}], ids=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    chosen: dict[str, str] = request.param
    return STACK_SETTINGS | {"RETRY_ROUNDS": "1"} | chosen


def keeping(line: bytes, members: bytes) -> bytes:
    """Return a line of a drop with more members at its end."""
    return line[:-1] + b"," + members + b"}\n"


def row(number: int) -> bytes:
    """Return a line of a drop with a column of a table."""
    return keeping(request(f"r-{number}"), b'"row":%d' % number)


def outputs(belt: Belt, run: str, kind: str) -> list[bytes]:
    """Return the lines of results or failures as they are written."""
    (key,) = [key for key in belt.stored(f"{kind}/") if key.endswith(f"{run}/{kind}.jsonl")]
    return belt.read(key).splitlines()


def test_values_come_back_as_they_were_written_after_ours(belt: Belt) -> None:
    """Lines without such keys are as they always were."""
    data = keeping(request("a"), WRITTEN) + request("b") + b"\n" + keeping(request("c"), b'"x":"y"')
    run = belt.upload(data)
    check(belt, run, belt.finish(run), data)
    first, second, third = outputs(belt, run, "results")
    assert first.endswith(b',"error":null,' + COMES_BACK + b"}")
    assert second.endswith(b',"error":null}')
    assert third.endswith(b',"error":null,"x":"y"}')
    assert list(orjson.loads(first))[:3] == ["custom_id", "response", "error"]


def test_they_come_back_beside_blank_and_invalid_lines(belt: Belt) -> None:
    """Under their own line, also with byte order marks and the line ends of Windows; they are in no other object."""
    invalid = keeping(request("a"), b'"row":2,"secret column":"sesame"')
    lines = [b"\xef\xbb\xbf" + row(1), b" \r\n", invalid.replace(b'"params"', b'"parms"'), row(4)[:-1] + b"\r\n", b"\n"]
    lines += [keeping(request("r-6"), b'"row":6,"secret column":"sesame"')]
    run = belt.upload(b"".join(lines), metadata={"on-invalid": "skip"})
    belt.finish(run)
    assert [orjson.loads(line)["row"] for line in outputs(belt, run, "results")] == [1, 4, 6]
    (failure,) = map(orjson.loads, outputs(belt, run, "failures"))
    assert (failure["line"], failure["outcome"], "row" in failure) == (3, "invalid", False)
    told = [key for key in belt.stored("") if b"sesame" in belt.read(key)]
    assert {key.partition("/")[0] for key in told} <= {"inbox", "content", "results"}, told


def test_they_are_not_sent(belt: Belt) -> None:
    """A drop has the same batches, of the same size, and the same estimate with and without them."""
    plans = []
    for name, data in (("bare", request("a") + b"\n"), ("rich", keeping(request("a"), b'"cell":"%b"' % (b"x" * 9999)))):
        run = belt.upload(data, f"inbox/{name}.jsonl")
        plans.append(decode_plan(belt.read(keys.plan(run))))
    bare, rich = plans
    assert (rich.batches[0].body_bytes, rich.drop.estimate) == (bare.batches[0].body_bytes, bare.drop.estimate)
    assert (bare.drop.has_kept_keys, rich.drop.has_kept_keys) == (False, True)


def test_what_we_say_of_a_line_is_never_the_users(belt: Belt) -> None:
    """Names that are ours in any output line do not come back, in no file."""
    members = b",".join(b'"%b":"mine"' % name.encode() for name in OURS)
    data = keeping(request("a"), members + b',"kept":1') + keeping(request("b"), members + b',"kept":2')
    belt.provider.configure(outcomes={"2": "errored:invalid_request_error"})
    run = belt.upload(data)
    belt.finish(run)
    (result,), (failure,) = (list(map(orjson.loads, outputs(belt, run, kind))) for kind in ("results", "failures"))
    assert list(result) == ["custom_id", "response", "error", "kept"]
    assert list(failure) == ["custom_id", "response", "error", "line", "outcome", "retryable", "kept"]
    assert (failure["line"], failure["outcome"], failure["kept"]) == (2, "errored", 2)


def test_they_come_back_from_probe_and_rounds(belt: Belt) -> None:
    """Each line is written once, by the leg that answers it."""
    data = b"".join(row(number) for number in range(1, 61))
    with failing_at_first(belt, FAILS):
        run = belt.upload(data, metadata=PROBED)
        end = belt.finish(run)
    check(belt, run, end, data)
    assert [orjson.loads(line)["row"] for line in outputs(belt, run, "results")] == list(range(1, 61))


def test_lines_to_send_again_keep_theirs(belt: Belt) -> None:
    """Such a file is dropped as it is."""
    belt.provider.configure(outcomes={"2": "errored:overloaded_error"}, every={})
    data = row(1) + row(2)
    run = belt.upload(data, metadata={"retry-rounds": "0"})
    belt.finish(run)
    (failure,) = map(orjson.loads, outputs(belt, run, "failures"))
    (retry,) = [key for key in belt.stored("failures/") if key.endswith("/retry.jsonl")]
    assert (failure["row"], belt.read(retry)) == (2, row(2))


def test_a_carriage_return_in_them_is_a_blank_in_results_and_failures_and_stays_in_what_is_sent_again(
    belt: Belt,
) -> None:
    """Athena, and others that end a line at one, would make two rows of it. `retry.jsonl` is dropped, not queried."""
    belt.provider.configure(outcomes={"2": "errored:overloaded_error"}, every={})
    lines = [keeping(request(name), b'"a":[1,\r2],\r"b":{"c":\r"\\r"}') for name in ("a", "b")]
    run = belt.upload(b"".join(lines), metadata={"retry-rounds": "0"})
    belt.finish(run)
    for kind in ("results", "failures"):
        (line,) = outputs(belt, run, kind)
        assert line.endswith(b',"a":[1, 2],"b":{"c": "\\r"}}')
    (retry,) = [key for key in belt.stored("failures/") if key.endswith("/retry.jsonl")]
    assert belt.read(retry) == lines[1]


@pytest.mark.parametrize("stack_settings", [{"BATCH_API": "files-openai"}], indirect=True, ids=["body"])
def test_what_names_the_call_is_not_kept(belt: Belt) -> None:
    """In the provider's own form `method`, `url` and `body` are the request."""
    written: dict[str, Any] = orjson.loads(request("a"))
    call = {"custom_id": "a", "method": "POST", "body": written["params"], "page": 3}
    run = belt.upload(orjson.dumps(call))
    belt.finish(run)
    assert [list(orjson.loads(line)) for line in outputs(belt, run, "results")] == [
        ["custom_id", "response", "error", "page"]
    ]
