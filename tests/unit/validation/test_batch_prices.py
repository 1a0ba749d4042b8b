"""What each batch of a plan can cost at most."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from conveyor.validation.checker import Checker, check_drop
from tests.support.belt import request
from tests.support.drops import MESSAGES, RUN, settings

MODELS = ["claude-opus-5-5", "claude-haiku-5-5"]
lines = st.lists(
    st.builds(
        request,
        st.uuids().map(str),
        model=st.sampled_from(MODELS),
        max_tokens=st.integers(1, 50_000),
        system=st.text(max_size=40) | st.none(),
        cache_control=st.sampled_from([None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}]),
    ),
    min_size=1,
    max_size=12,
)


def checked(data: bytes, most_requests: int) -> Checker:
    """Check a drop whose batches have so many requests at most."""
    return check_drop(RUN, settings(max_requests_per_batch=most_requests), MESSAGES, lambda: [data])


@given(lines, st.integers(1, 5))
def test_the_batches_together_can_cost_what_the_drop_can(lines: list[bytes], most_requests: int) -> None:
    """Each costs what its own lines would cost as a drop, so an approved amount can be kept to batch by batch."""
    data = b"\n".join(lines)
    checker = checked(data, most_requests)
    most = [batch.at_most_usd for batch in checker.batches]
    assert sum(each or Decimal(0) for each in most) == checker.estimate().at_most_usd
    for batch, each in zip(checker.batches, most, strict=True):
        alone = checked(data[batch.first_byte : batch.end_byte], most_requests).estimate().at_most_usd
        assert each is not None
        assert alone is not None
        assert abs(each - alone) <= Decimal("0.00001")  # each model's sum is rounded up


def test_a_batch_after_a_request_without_a_bound_has_none() -> None:
    """What it adds to the drop is not known any more, so no amount can be kept to."""
    url = [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}}]}]
    data = b"\n".join([request("a"), request("b", messages=url), request("c")])
    assert [batch.at_most_usd is None for batch in checked(data, 1).batches] == [False, True, True]
