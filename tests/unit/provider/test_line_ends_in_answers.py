"""An answer is on one line of the results, for every reader."""

import json
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.outcome import Result
from conveyor.provider.files.results import decode_results as decode_files
from conveyor.provider.messages.results import decode_results as decode_messages

MESSAGE = {
    "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "a\r\nb"}],
    "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 2},
}  # fmt: skip


@pytest.mark.parametrize("decode", [decode_messages, decode_files], ids=["messages", "files"])
@given(blanks=st.tuples(*[st.text("\r\t ", max_size=2)] * 2), count=st.integers(1, 4))
def test_a_carriage_return_between_the_parts_of_an_answer_is_a_blank(
    decode: Callable[[Iterable[bytes]], Iterator[Result]], blanks: tuple[str, str], count: int
) -> None:
    """Athena, and others that end a line at one, would make two rows of it. All else is as it came."""
    message = json.dumps(MESSAGE, separators=(f",{blanks[0]}", f":{blanks[1]}")).encode()
    line = b'{"custom_id":"0123456789-%d","result":{"type":"succeeded","message":%b}}\n'
    results = list(decode([b"".join(line % (number, message) for number in range(count))]))
    assert [result.response for result in results] == [message.replace(b"\r", b" ")] * count
