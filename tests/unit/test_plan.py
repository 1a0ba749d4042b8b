"""A drop is cut into batches within the provider's limits."""

from hypothesis import given
from hypothesis import strategies as st

from conveyor.output import OutputFile
from conveyor.plan import BODY_END, BODY_START, Batch, Checked, Plan, Planner, Skipped, decode_plan, encode_plan

sizes = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def planned(sizes: list[int], max_requests: int, max_bytes: int) -> list[Batch]:
    """Plan requests of some sizes, each on a line of its own of 100 bytes."""
    planner = Planner(max_requests, max_bytes)
    for line, size in enumerate(sizes, 1):
        planner.add(line, line * 100, line * 100 + 90, size, defaulted=bool(size % 2))
    return planner.batches


@given(sizes, st.integers(1, 10), st.integers(60, 200))
def test_batches_cover_all_lines_in_order_within_both_limits(sizes: list[int], requests: int, limit: int) -> None:
    """None is lost, none is sent twice, and the body's length is exact."""
    batches = planned(sizes, requests, limit)
    assert [batch.number for batch in batches] == list(range(1, len(batches) + 1))
    first = 1
    for batch in batches:
        assert (batch.first_line, batch.first_byte) == (first, first * 100)
        assert (batch.last_line, batch.end_byte) == (first + batch.requests - 1, batch.last_line * 100 + 90)
        assert batch.requests <= requests
        body = BODY_START + b",".join(b"x" * size for size in sizes[first - 1 : batch.last_line]) + BODY_END
        assert batch.body_bytes == len(body) <= limit
        first = batch.last_line + 1
    assert first == len(sizes) + 1
    assert sum(batch.defaulted for batch in batches) == sum(size % 2 for size in sizes)


def test_a_plan_is_kept_and_read_back() -> None:
    """Skipped lines belong to it, with their reasons."""
    planner = Planner(10, 1000)
    planner.skip(Skipped(1, None, "not-json", "no"), 0, 5)
    planner.add(2, 6, 20, 30, defaulted=False)
    planner.skip(Skipped(4, "é", "model-invalid", "no, neither"), 30, 35)
    plan = Plan(Checked(3, "abc", 2, OutputFile("failures/x", 2, 9, "d")), planner.batches)
    assert decode_plan(encode_plan(plan)) == plan
    batch = plan.batch(1)
    assert (batch.first_line, batch.first_byte, batch.last_line, batch.end_byte) == (1, 0, 4, 35)
    assert [skipped.line for skipped in batch.skipped] == [1, 4]
