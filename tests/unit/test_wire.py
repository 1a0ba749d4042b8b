"""Requests as they are sent."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from conveyor.checking import check_drop
from conveyor.drop import nonce, wire_id
from conveyor.line import Request, read_request
from conveyor.lines import read_lines, read_stretches
from conveyor.wire import Envelope, wire_requests
from tests.unit.examples_of_drops import RUN, line, settings

PARAMS = b'{ "a":1.0}'


def test_the_users_params_stay_as_they_were_written() -> None:
    """After an id that leads back to the line."""
    wanted = b'{"custom_id":"%b","params":{ "a":1.0}}' % wire_id(nonce(RUN), 17).encode()
    assert Envelope(RUN, 5).requests([17], [PARAMS], [False]) == wanted


def test_a_default_is_put_before_what_the_user_wrote() -> None:
    """The rest stays byte for byte."""
    wanted = b'{"custom_id":"%b","params":{"max_tokens":5, "a":1.0}}' % wire_id(nonce(RUN), 17).encode()
    assert Envelope(RUN, 5).requests([17], [PARAMS], [True]) == wanted


@given(st.integers(1, 10**6), st.lists(st.tuples(st.binary(max_size=9), st.booleans()), min_size=1), st.integers(0, 99))
def test_the_length_of_many_requests_is_known_from_sums(
    first: int, requests: list[tuple[bytes, bool]], default: int
) -> None:
    """It is announced before the first of them is made."""
    envelope = Envelope(RUN, default)
    sent = envelope.requests(
        range(first, first + len(requests)), [b"{" + rest for rest, _ in requests], [each for _, each in requests]
    )
    params = sum(1 + len(rest) for rest, _ in requests)
    defaulted = sum(defaulted for _, defaulted in requests)
    assert envelope.size(first, first + len(requests) - 1, params, defaulted) == len(sent)


ITEMS = st.sampled_from(
    [
        line("a"),
        line("b", max_tokens=None),
        line("c").replace(b"max_tokens", b"max\\u005ftokens"),
        b'{"params": {}, "x": {"params": 5}, ' + line("d")[1:],
        b" \t" + line("e", system="[\u2028]") + b"\r",
        line("f").replace(b'"max_tokens":5', b'"max_tokens":5,"max_tokens":6'),
        b"",
        b" \r",
        b"not a request",
        line("g", max_tokens=0),
    ]
)


@given(st.lists(ITEMS, max_size=6), st.booleans(), st.booleans(), st.integers(1, 3))
def test_what_is_sent_is_what_was_checked(items: list[bytes], marked: bool, ended: bool, per_batch: int) -> None:  # noqa: FBT001
    """However lines are written, with blank and invalid ones between: each good one, once, and as long as announced."""
    numbered = [each.replace(b'"custom_id":"', b'"custom_id":"%d' % number) for number, each in enumerate(items)]
    data = b"\xef\xbb\xbf" * marked + b"\n".join(numbered) + b"\n" * ended
    own = settings(max_requests_per_batch=per_batch)
    envelope = Envelope(RUN, own.default_max_tokens)
    found = [(each.number, read_request(each, own.default_max_tokens)) for each in read_lines([data])]
    good = [(number, request) for number, request in found if isinstance(request, Request)]
    wanted = [envelope.requests([number], [each.params], [each.max_tokens is None]) for number, each in good]
    sent: list[bytes] = []
    for batch in check_drop(RUN, own, lambda: [data]).batches:
        stretches = read_stretches([data[batch.first_byte : batch.end_byte]], start=batch.first_byte)
        requests = b",".join(wire_requests(batch, envelope, stretches))
        body = b'{"requests":[%b]}' % requests
        assert (len(body), len(orjson.loads(body)["requests"])) == (batch.body_bytes, batch.requests)
        sent += [requests] if requests else []
    assert b",".join(sent) == b",".join(wanted)
