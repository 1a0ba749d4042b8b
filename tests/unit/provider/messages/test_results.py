"""Results of the Message Batches API on the wire."""

from itertools import pairwise

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.outcome import Error, Outcome
from conveyor.money.usage import ModelUsage, Usage
from conveyor.provider.messages.results import decode_results
from conveyor.provider.protocol import ResultsUnreadable
from tests.support.keys import Keys
from tests.unit.provider.messages.test_api import api, error


def test_results_are_decoded_line_by_line_and_keep_the_message_as_written() -> None:
    """All four types; a separator that only looks like a line end does not cut a line."""
    usage = '"usage":{"input_tokens":3,"output_tokens":2}'
    message = '{"id":"msg_1","model":"claude-haiku-4-5","content":[{"text":"a\u2028b"}],' + usage + "}"
    lines = [
        '{"custom_id":"n-1","result":{"type":"succeeded","message":' + message + "}}",
        '{"custom_id":"n-2","result":{"type":"errored","error":{"error":{"type":"api_error","message":"m"}}}}',
        "",
        '{"custom_id":"n-3","result":{"type":"canceled"}}',
        '{"custom_id":"n-4","result":{"type":"expired"}}',
    ]
    with api(lambda _: httpx.Response(200, text="\r\n".join(lines))).results("msgbatch_1") as found:
        results = list(found)
    assert [(r.wire_id, r.outcome) for r in results] == [
        ("n-1", Outcome.SUCCEEDED),
        ("n-2", Outcome.ERRORED),
        ("n-3", Outcome.CANCELED),
        ("n-4", Outcome.EXPIRED),
    ]
    assert results[0].response.decode() == message
    assert (results[0].model, results[0].usage.input_tokens) == ("claude-haiku-4-5", 3)
    assert results[1].error == Error("api_error", "m")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ('{"type":"errored","error":{"type":"api_error","message":"m"}}', Error("api_error", "m")),
        ('{"type":"errored","error":{"type":"error","error":{"type":"api_error"}}}', Error("api_error", "")),
        (
            '{"type":"errored","error":{"type":"error","error":{"type":"api_error","message":null}}}',
            Error("api_error", ""),
        ),
        ('{"type":"errored","error":null}', "unknown_error"),
        ('{"type":"errored"}', "unknown_error"),
        ('{"type":"a_type_of_next_year"}', "unreadable_result"),
        ('{"type":"succeeded"}', "unreadable_result"),
        ('"odd"', "unreadable_result"),
    ],
)
def test_one_unexpected_line_does_not_stop_the_others(result: str, expected: Error | str) -> None:
    """It is an error of its own request; all other results are delivered."""
    good = '{"custom_id":"n-2","result":{"type":"expired"}}'
    text = f'{{"custom_id":"n-1","result":{result}}}\n{good}\n'
    with api(lambda _: httpx.Response(200, text=text)).results("msgbatch_1") as found:
        odd, after = list(found)
    assert (odd.outcome, after.outcome) == (Outcome.ERRORED, Outcome.EXPIRED)
    assert expected in (odd.error, odd.error and odd.error.type)


def test_a_message_with_invalid_usage_is_still_a_message() -> None:
    """Only its tokens are left out of the count."""
    text = '{"custom_id":"n-1","result":{"type":"succeeded","message":{"usage":null}}}'
    with api(lambda _: httpx.Response(200, text=text)).results("msgbatch_1") as found:
        (result,) = list(found)
    assert (result.outcome, result.response) == (Outcome.SUCCEEDED, b'{"usage":null}')


@pytest.mark.parametrize(
    "body", [b"nonsense", b'{"custom_id":"n-1","result":{"type":"succ', b'{"result":{}}', b'{"custom_id":\xff}']
)
def test_a_line_that_is_no_result_belongs_to_no_request_and_is_kept(body: bytes) -> None:
    """Some request has no result then, so the results are read again."""
    with api(lambda _: httpx.Response(200, content=body)).results("msgbatch_1") as results:
        (strange,) = list(results)
    assert (strange.wire_id, strange.raw) == ("", body)


def test_results_are_requested_again_with_a_new_key_if_the_cached_one_is_refused() -> None:
    """The key may have been rotated while the batch ran."""
    keys = Keys()

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, text="")
            if request.headers["x-api-key"] == "key-1"
            else error(401, "authentication_error")
        )

    with api(answer, keys).results("msgbatch_1") as results:
        assert list(results) == []
    assert keys.renewed == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_results_that_are_refused_are_unreadable(status: int) -> None:
    """A redirect is not followed: it would send the key to another host."""
    answer = httpx.Response(status, headers={"location": "https://elsewhere.test"})
    with pytest.raises(ResultsUnreadable, match=str(status)), api(lambda _: answer).results("msgbatch_1"):
        pass


def test_a_cut_stream_of_results_is_unreadable() -> None:
    """The exception is the same wherever the connection broke."""

    class Cut(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
            yield b'{"custom_id":"n-1","result":{"type":"expired"}}\n'
            raise httpx.RemoteProtocolError("cut")

    with (
        pytest.raises(ResultsUnreadable, match="RemoteProtocolError"),
        api(lambda _: httpx.Response(200, stream=Cut())).results("msgbatch_1") as results,
    ):
        list(results)


MESSAGE = '{"id":"m","model":"claude-haiku-4-5","content":["\\u2028 }}} \\" \u00e9"],"usage":{"input_tokens":3}}'
BARE = "{}"
FORMS = [
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":MESSAGE}}',
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":MESSAGE} }',
    '{"custom_id": "n-%d", "result": {"type": "succeeded", "message": MESSAGE}}',
    ' {"custom_id":"n-%d","result":{"type":"succeeded","message":MESSAGE}}\r',
    '{"custom_id":"n-%d","result":{"message":MESSAGE,"type":"succeeded"}}',
    '{"result":{"type":"succeeded","message":MESSAGE},"custom_id":"n-%d"}',
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":MESSAGE,"x":{"y":{}}}}',
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":MESSAGE},"x":{"y":{}}}',
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":{"a":{}},"message":MESSAGE}}',
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":{"a":1}},"result":{"type":"succeeded","message":MESSAGE}}',
    '{"custom_id":"n-0","result":{"type":"succeeded","message":MESSAGE},"custom_id":"n-%d"}',
    '{"custom_id":"n\\u002d%d","result":{"type":"succeeded","message":MESSAGE}}',
    '{"custom_id":"n-%d","result":{"type":"succeeded","message":MESSAGE},"x":"}}}"}',
]


@given(
    st.lists(st.tuples(st.sampled_from(FORMS), st.sampled_from([MESSAGE, BARE])), min_size=1, max_size=5),
    st.lists(st.integers(0, 900), max_size=3).map(sorted),
    st.booleans(),
)
def test_a_message_is_found_however_its_line_is_written_and_cut(
    drawn: list[tuple[str, str]],
    cuts: list[int],
    ended: bool,  # noqa: FBT001
) -> None:
    """Each line gives one result with the exact bytes of its message, on both decoding paths."""
    wanted = [(f"n-{number}", message.encode()) for number, (_, message) in enumerate(drawn)]
    lines = [
        form.replace("%d", str(number)).replace("MESSAGE", message) for number, (form, message) in enumerate(drawn)
    ]
    data = ("\n".join(lines) + "\n" * ended).encode()
    places = [0, *(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    results = list(decode_results(chunks))
    assert [(result.wire_id, result.response) for result in results] == wanted
    assert [result.raw for result in results] == [line.strip().encode() for line in lines]
    assert [result.usage.input_tokens for result in results] == [3 * (message == MESSAGE) for _, message in drawn]
    assert {result.outcome for result in results} == {Outcome.SUCCEEDED}


@pytest.mark.parametrize("form", FORMS[:6])
def test_a_very_long_answer_is_kept_however_its_line_is_written(form: str) -> None:
    """It was charged."""
    message = '{"model":"m","content":"' + "x" * 33_000_000 + '"}'
    (result,) = decode_results([form.replace("%d", "1").replace("MESSAGE", message).encode() + b"\n"])
    assert (result.wire_id, result.outcome, result.response) == ("n-1", Outcome.SUCCEEDED, message.encode())


EXTRA = (
    b'"usage":{"input_tokens":3,"output_tokens":2,"cache_creation_input_tokens":9,"cache_read_input_tokens":null,'
    b'"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":7},"inference_geo":"us",'
    b'"server_tool_use":{"web_search_requests":4,"web_fetch_requests":1},"iterations":[{"type":"message",'
    b'"input_tokens":3,"output_tokens":2},{"type":"compaction","input_tokens":5,"output_tokens":1},'
    b'{"type":"advisor_message","model":"claude-opus-5-5","input_tokens":6,"output_tokens":8,"cache_creation":null}]}'
)


@pytest.mark.parametrize("more", [b"", b',"a":1.0', b',"service_tier":"batch"'])
@pytest.mark.parametrize("beside", [b"", b',"beside":1'])
def test_all_that_is_billed_is_read_however_the_line_is_written(more: bytes, beside: bytes) -> None:
    """Cache writes by time, paid tools, the place of inference, and steps that the counts leave out."""
    message = b'{"model":"m",%b%b}' % (EXTRA, more)
    line = b'{"custom_id":"n-1","result":{"type":"succeeded","message":%b}%b}\n' % (message, beside)
    (read,) = decode_results([line])
    assert msgspec.to_builtins(read.usage) | EXPECTED == msgspec.to_builtins(read.usage)
    assert read.place == "us"
    assert read.also_used == (ModelUsage("", Usage(5, 1)), ModelUsage("claude-opus-5-5", Usage(6, 8)))


EXPECTED = {
    "input_tokens": 3,
    "output_tokens": 2,
    "cache_creation_input_tokens": 9,
    "cache_creation_1h_input_tokens": 7,
    "web_search_requests": 4,
}


def test_usage_of_another_form_is_read_as_far_as_it_goes() -> None:
    """A server may write counts as text or with a fraction, and leave out or misuse the rest."""
    usage = EXTRA.replace(b":7}", b':"7"}').replace(b'"web_search_requests":4', b'"web_search_requests":4.0')
    usage = usage.replace(b'"input_tokens":5', b'"input_tokens":"5"').replace(
        b'"inference_geo":"us"', b'"inference_geo":1'
    )
    (read,) = decode_results([b'{"custom_id":"n-1","result":{"type":"succeeded","message":{"model":"m",%b}}}' % usage])
    assert msgspec.to_builtins(read.usage) | EXPECTED == msgspec.to_builtins(read.usage)
    assert (read.place, read.also_used[0]) == ("", ModelUsage("", Usage(5, 1)))
