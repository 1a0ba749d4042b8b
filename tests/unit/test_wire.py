"""A request as it is sent."""

from hypothesis import given
from hypothesis import strategies as st

from conveyor.drop import nonce, wire_id
from conveyor.wire import Envelope

RUN = "20261122T101112Z-0123456789ab"
PARAMS = b'{ "a":1.0}'


def test_the_users_params_stay_as_they_were_written() -> None:
    """After an id that leads back to the line."""
    wanted = b'{"custom_id":"%b","params":{ "a":1.0}}' % wire_id(nonce(RUN), 17).encode()
    assert Envelope(RUN, 5).request(17, PARAMS, defaulted=False) == wanted


def test_a_default_is_put_before_what_the_user_wrote() -> None:
    """The rest stays byte for byte."""
    wanted = b'{"custom_id":"%b","params":{"max_tokens":5, "a":1.0}}' % wire_id(nonce(RUN), 17).encode()
    assert Envelope(RUN, 5).request(17, PARAMS, defaulted=True) == wanted


@given(st.integers(1, 10**6), st.lists(st.tuples(st.binary(max_size=9), st.booleans()), min_size=1), st.integers(0, 99))
def test_the_length_of_many_requests_is_known_from_sums(
    first: int, requests: list[tuple[bytes, bool]], default: int
) -> None:
    """It is announced before the first of them is made."""
    envelope = Envelope(RUN, default)
    sent = [
        envelope.request(line, b"{" + rest, defaulted=defaulted)
        for line, (rest, defaulted) in enumerate(requests, first)
    ]
    params = sum(1 + len(rest) for rest, _ in requests)
    defaulted = sum(defaulted for _, defaulted in requests)
    assert envelope.size(first, first + len(requests) - 1, params, defaulted) == len(b",".join(sent))
