"""The probe and what is left of the batches are the drop, each line once."""

from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain import keys
from conveyor.domain.dialect import Dialect
from conveyor.domain.drop import nonce, wire_id
from conveyor.domain.plan import Batch, Plan, Probe, ValidatedDrop, decode_plan, encode_plan
from conveyor.intake.probe_plan import ChosenLine, plan_probe
from conveyor.jsonl.lines import Line, read_blocks, read_lines
from conveyor.money.prices import PRICES
from conveyor.settings.settings import Settings
from conveyor.validation.batch_body import Envelope
from conveyor.validation.checker import Checker, check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.belt import request
from tests.support.drops import BODY, DIALECTS, MESSAGES, RUN, line, settings

SLIGHT = Decimal("0.00001")
"""US dollars: each sum of a model is rounded up."""
URL = [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}}]}]
IMAGE = [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "a" * 400}}]}]
ITEMS = st.sampled_from(
    [
        request("a"),
        request("b", model="claude-opus-5-5", system="x" * 90),
        request("c", max_tokens=None),
        b" \t" + request("d", system="\u2028") + b"\r",
        b"\xef\xbb\xbf" + request("e"),
        request("f").replace(b'"model"', b'"stream":null , "model"'),
        request("g", max_tokens=None).replace(b"}}", b', "max_tokens" : null, "top_k":null }}'),
        line("h", model="without a price"),
        request("i", messages=URL),
        b"",
        b" \r",
        b"nonsense",
        request("j", max_tokens=0),
    ]
)
drops = st.lists(ITEMS, min_size=1, max_size=70)
dialects = st.sampled_from(list(DIALECTS.values()))


def numbered(items: list[bytes]) -> bytes:
    """Return a drop whose ids differ."""
    texts = [each.replace(b'"custom_id":"', b'"custom_id":"%d' % number) for number, each in enumerate(items)]
    return b"\n".join(texts)


def probed(
    data: bytes, drop_settings: Settings, dialect: Dialect = MESSAGES, wanted: set[int] | None = None
) -> tuple[Checker, Probe, bytes]:
    """Check a drop, and take a probe out of it: its sample, or lines of one's choice."""
    checker = check_drop(RUN, drop_settings, dialect, lambda: [data])
    models = {place.line: place.model for place in checker.sample()}
    numbers = models.keys() if wanted is None else wanted
    chosen = [ChosenLine(each, models.get(each.number, "")) for each in read_lines([data]) if each.number in numbers]
    planned = plan_probe(RUN, drop_settings, dialect, PRICES, checker.batches, chosen)
    return checker, planned.probe, planned.file


def valid_lines(data: bytes, drop_settings: Settings, dialect: Dialect) -> dict[int, tuple[Line, Request]]:
    """Return the valid lines of a drop by their numbers."""
    rules = Rules(dialect, drop_settings.default_max_tokens)
    read = ((each, read_request(each, rules)) for each in read_lines([data]))
    return {each.number: (each, found) for each, found in read if isinstance(found, Request)}


def body_of(name: str, data: bytes, batch: Batch, dialect: Dialect, default: int) -> bytes:
    """Return the body of a batch of a file; `name`: that of its run or leg."""
    blocks = read_blocks([data[batch.first_byte : batch.end_byte]], start=batch.first_byte)
    return b"".join(Envelope(dialect.form, name, default).body(batch, blocks))


def sent_in(body: bytes, dialect: Dialect) -> list[dict[str, Any]]:
    """Return the requests of a body."""
    inner = body.removeprefix(dialect.form.start).removesuffix(dialect.form.end)
    if dialect is MESSAGES:
        requests: list[dict[str, Any]] = orjson.loads(b"[%b]" % inner)
        return requests
    return [orjson.loads(each) for each in inner.split(b"\n") if each]


@pytest.mark.slow
@given(drops, dialects, st.integers(1, 40), st.data())
def test_the_probe_and_the_batches_send_each_valid_line_once(
    items: list[bytes], dialect: Dialect, per_batch: int, draw: st.DataObject
) -> None:
    """Bodies are as long as announced, have as many requests as planned, and all lines are in one of them."""
    data, drop_settings = numbered(items), settings(max_requests_per_batch=per_batch)
    valid = valid_lines(data, drop_settings, dialect)
    wanted = draw.draw(st.none() | st.sets(st.sampled_from(sorted(valid)))) if valid else None
    checker, probe, file = probed(data, drop_settings, dialect, wanted)
    sent: list[str] = []
    for batch in checker.batches:
        assert batch.probed == [each.line for each in probe.lines if batch.first_line <= each.line <= batch.last_line]
        if not batch.requests:
            assert batch.body_bytes == dialect.form.around
            continue
        body = body_of(RUN, data, batch, dialect, 16)
        assert len(body) == batch.body_bytes
        assert len(sent_in(body, dialect)) == batch.requests
        sent += [each["custom_id"] for each in sent_in(body, dialect)]
    in_probe: list[str] = []
    for batch in probe.batches:
        body = body_of(keys.leg_id(RUN, "probe"), file, batch, dialect, 16)
        assert len(body) == batch.body_bytes
        assert len(sent_in(body, dialect)) == batch.requests <= per_batch
        in_probe += [each["custom_id"] for each in sent_in(body, dialect)]
    leg = nonce(f"{RUN}/probe")
    assert in_probe == [wire_id(leg, number) for number in range(1, len(probe.lines) + 1)]
    lines = [each.line for each in probe.lines]
    assert lines == sorted(set(lines))
    expected = [wire_id(nonce(RUN), number) for number in valid if number not in lines]
    assert sent == expected
    assert file.split(b"\n") == [*(valid[number][0].raw for number in lines), b""]
    assert probe.sha256 == sha256(file).hexdigest()


@given(drops, st.integers(1, 40), st.booleans())
def test_sums_are_those_of_what_is_left(items: list[bytes], per_batch: int, has_all: bool) -> None:  # noqa: FBT001
    """What the batches and the probe can cost at most is what the drop can."""
    data, drop_settings = numbered(items), settings(max_requests_per_batch=per_batch)
    before = check_drop(RUN, drop_settings, MESSAGES, lambda: [data])
    valid = valid_lines(data, drop_settings, MESSAGES)
    checker, probe, _ = probed(data, drop_settings, wanted=set(valid) if has_all else {*valid} & {*range(1, 99, 3)})
    for name in ("requests", "max_tokens", "defaulted", "nulled"):
        sums = [sum(getattr(batch, name) for batch in batches) for batches in (checker.batches, probe.batches)]
        assert sum(sums) == sum(getattr(batch, name) for batch in before.batches)
    for batch, was in zip(checker.batches, before.batches, strict=True):
        assert (batch.first_line, batch.last_line, batch.skipped) == (was.first_line, was.last_line, was.skipped)
        if not batch.requests:
            assert (batch.body_bytes, batch.at_most_usd) == (MESSAGES.form.around, Decimal(0))
            assert (batch.max_tokens, batch.defaulted, batch.nulled) == (0, 0, 0)
    most = [batch.at_most_usd for batch in (*checker.batches, *probe.batches)]
    if before.estimate().at_most_usd is not None:
        total = sum((each if each is not None else Decimal("NaN") for each in most), Decimal(0))
        assert abs(total - (before.estimate().at_most_usd or Decimal(0))) <= SLIGHT
    assert all(each is None or each >= 0 for each in most)


def test_a_line_is_listed_with_what_it_can_use_at_most() -> None:
    """The forecast compares this with what it has used."""
    lines = [request("a", max_tokens=7), request("b", max_tokens=None), request("c", messages=URL)]
    lines.append(request("d", messages=IMAGE))
    checker, probe, _ = probed(b"\n".join(lines), settings())
    assert [(each.line, each.model, each.max_tokens) for each in probe.lines] == [
        (1, "claude-haiku-4-5", 7),
        (2, "claude-haiku-4-5", 16),
        (3, "claude-haiku-4-5", 64),
        (4, "claude-haiku-4-5", 64),
    ]
    tokens = [each.tokens for each in probe.lines]
    assert tokens == [len(lines[0]), len(lines[1]), None, len(lines[3]) - 400 + 5000]
    assert probe.at_most_usd is None
    assert checker.estimate().at_most_usd is None


@given(st.integers(1, 50))
def test_a_small_drop_is_all_in_its_probe(requests: int) -> None:
    """One batch is left, and it has nothing to send."""
    data = b"\n".join(request(f"r-{number}") for number in range(requests))
    checker, probe, file = probed(data, settings())
    (batch,) = checker.batches
    assert (batch.requests, batch.probed) == (0, [*range(1, requests + 1)])
    assert (probe.requests, file) == (requests, data + b"\n")
    assert probe.at_most_usd == checker.estimate().at_most_usd


def test_the_batches_of_a_probe_keep_the_limits() -> None:
    """They are planned as those of a drop are, each with one model if the dialect wants that."""
    models = ["m", "n", "n", "m"]
    data = b"\n".join(line(f"r-{number}", model=model) for number, model in enumerate(models))
    _, probe, _ = probed(data, settings(), BODY)
    assert [(batch.model, batch.requests) for batch in probe.batches] == [("m", 1), ("n", 2), ("m", 1)]
    assert [batch.number for batch in probe.batches] == [1, 2, 3]


def test_another_drop_than_the_one_that_was_checked_is_a_defect() -> None:
    """Nothing is planned from bytes that nobody checked."""
    line = Line(3, 10, 18, b"nonsense")
    with pytest.raises(ValueError, match="line 3 is not the line that was checked"):
        plan_probe(RUN, settings(), MESSAGES, PRICES, [], [ChosenLine(line, "m")])


def test_a_plan_with_a_probe_is_kept_and_read_back() -> None:
    """Its first line has the probe."""
    data = b"\n".join(request(f"r-{number}") for number in range(70))
    checker, probe, _ = probed(data, settings())
    plan = Plan(ValidatedDrop(70, "sha", probe=probe), checker.batches)
    assert decode_plan(encode_plan(plan)) == plan
