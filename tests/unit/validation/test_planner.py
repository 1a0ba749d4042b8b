"""A drop is split into batches within the limits."""

from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Batch, Plan, Skipped, ValidatedDrop, decode_plan, encode_plan
from conveyor.validation.planner import Limits, Planner, RequestGroup

START, END = b'{"requests":[', b"]}"
sizes = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def one(line: int, start: int, end: int, size: int) -> RequestGroup:
    """Return one request on a line with twice as many tokens as bytes; an odd size uses the default."""
    return RequestGroup(line, line, start, end, 1, size, 2 * size, size % 2)


def planned(sizes: list[int], max_requests: int, max_bytes: int, max_tokens: int) -> list[Batch]:
    """Plan requests of some sizes and twice as many tokens, each on a line of its own of 100 bytes."""
    planner = Planner(Limits(max_requests, max_bytes, max_tokens), len(START + END))
    for line, size in enumerate(sizes, 1):
        planner.add(one(line, line * 100, line * 100 + 90, size))
    return planner.batches


@given(sizes, st.integers(1, 10), st.integers(60, 200), st.integers(80, 300))
def test_batches_cover_all_lines_in_order_within_every_limit(
    sizes: list[int], requests: int, limit: int, tokens: int
) -> None:
    """No line is lost or sent twice, body lengths are exact, and no batch is smaller than necessary."""
    batches = planned(sizes, requests, limit, tokens)
    assert [batch.number for batch in batches] == list(range(1, len(batches) + 1))
    first = 1
    for batch in batches:
        assert (batch.first_line, batch.first_byte) == (first, first * 100)
        assert (batch.last_line, batch.end_byte) == (first + batch.requests - 1, batch.last_line * 100 + 90)
        assert batch.requests <= requests
        batch_sizes = sizes[first - 1 : batch.last_line]
        body = START + b",".join(b"x" * size for size in batch_sizes) + END
        assert batch.body_bytes == len(body) <= limit
        assert batch.max_tokens == 2 * sum(batch_sizes) <= tokens
        for following in sizes[batch.last_line :][:1]:
            is_full = (
                batch.requests == requests,
                len(body) + 1 + following > limit,
                2 * sum(batch_sizes) + 2 * following > tokens,
            )
            assert any(is_full)
        first = batch.last_line + 1
    assert first == len(sizes) + 1
    assert sum(batch.defaulted for batch in batches) == sum(size % 2 for size in sizes)


def test_a_request_of_more_tokens_than_a_batch_may_have_is_alone_in_a_batch() -> None:
    """Users may send it; other lines are not put into its batch."""
    batches = planned([1, 50, 1, 1], 10, 1000, 20)
    assert [(batch.first_line, batch.last_line) for batch in batches] == [(1, 1), (2, 2), (3, 4)]


def test_a_plan_is_kept_and_read_back() -> None:
    """The plan includes skipped lines with their reasons."""
    planner = Planner(Limits(10, 1000, 1000), len(START + END))
    planner.skip(Skipped(1, None, "not-json", "no"), 0, 5)
    planner.add(one(2, 6, 20, 30))
    planner.skip(Skipped(4, "é", "model-invalid", "no, neither"), 30, 35)
    plan = Plan(ValidatedDrop(3, "abc", 2, OutputFile("failures/x", 2, 9, "d")), planner.batches)
    assert decode_plan(encode_plan(plan)) == plan
    batch = plan.batch(1)
    assert (batch.first_line, batch.first_byte, batch.last_line, batch.end_byte) == (1, 0, 4, 35)
    assert [skipped.line for skipped in batch.skipped] == [1, 4]
