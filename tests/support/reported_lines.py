"""Result lines reported from providers, read between others, and the forms in which an answer can come."""

from pathlib import Path

from conveyor.domain.outcome import Outcome, Result
from conveyor.provider.files import results as file_results
from conveyor.provider.messages import results as message_results

REPORTS = Path(__file__).parents[1] / "data" / "reports"
WIRE_ID = "f4ee1d3039-1"
DECODERS = {"messages": message_results.decode_results, "files": file_results.decode_results}


def reported(name: str) -> list[bytes]:
    """Return the lines of a report."""
    lines = (REPORTS / name).read_bytes().splitlines()
    return [line.replace(b"<wire id>", WIRE_ID.encode()) for line in lines if line]


def read(line: bytes, dialect: str = "files") -> Result:
    """Decode one line between two valid ones."""
    other = b'{"custom_id":"f4ee1d3039-9","result":{"type":"expired"}}'
    before, result, after = DECODERS[dialect]([b"\n".join([other, line, other]) + b"\n"])
    assert before.outcome == after.outcome == Outcome.EXPIRED
    assert result.raw == line
    return result


def message(text: bytes, usage: bytes = b'{"input_tokens":3,"output_tokens":4}') -> bytes:
    """Return a message with this raw text."""
    return b'{"model":"m","content":[{"type":"text","text":"%b"}],"usage":%b}' % (text, usage)


def in_every_form(answer: bytes) -> list[tuple[str, bytes]]:
    """Return the line of an answer in each dialect, with the decoder of that dialect."""
    wire_id = WIRE_ID.encode()
    succeeded = b'{"custom_id":"%b","result":{"type":"succeeded","message":%b}}' % (wire_id, answer)
    body = b'{"id":"b","custom_id":"%b","response":{"status_code":200,"body":%b},"error":null}' % (wire_id, answer)
    bare = b'{"custom_id":"%b","response":%b,"error":null}' % (wire_id, answer)
    return [("messages", succeeded), ("files", succeeded), ("files", body), ("files", bare)]
