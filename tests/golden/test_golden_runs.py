"""What each release has written is read by the code of today, and runs that it has left are carried to their end."""

import gzip

import pytest

from tests.golden import kept
from tests.golden.carry_on import event, go_on, left, of_drop, paid
from tests.golden.decoding import PREFIXES, Undecoded, decode
from tests.support import promises

RUNS = list(kept.every())
COUNTS_ALL = "0.1.0"
"""The first release whose parts have lengths of answers and examples of failures."""
OLD = pytest.mark.parametrize(("release", "name"), RUNS)


@OLD
def test_every_object_of_a_former_release_is_decoded_by_its_type(release: str, name: str) -> None:
    """A field that was added without a default, or a name that is no longer known, would end runs that go on."""
    objects = kept.read(release, name).objects
    assert any(each.key.startswith("runs/") for each in objects)
    for each in objects:
        if each.key.startswith(PREFIXES) or each.key.endswith("/receipt.json"):
            decode(each.key, each.data)


def test_an_object_of_no_known_type_is_found() -> None:
    """The check above would be worth nothing if it took everything."""
    for key in ("runs/r/new-1.json", "runs/r/batches/1/new.json", "claims/new/1", "index/new", "claims/spend/a/b/new"):
        with pytest.raises(Undecoded):
            decode(key, b"{}")


@OLD
def test_a_run_of_a_former_release_ends_as_it_would_have_and_nothing_is_paid_twice(release: str, name: str) -> None:
    """It goes on in an execution that calls the functions of today, and its upload event comes again twice."""
    run = kept.read(release, name)
    with left(run) as belt:
        before, again = paid(belt), event(belt, run)
        belt.submit(again)
        notice = go_on(belt, run)
        belt.submit(again)
        data = of_drop(run)
        lines = gzip.decompress(data) if run.drop.endswith(".gz") else data
        is_recent = kept.in_order([release, COUNTS_ALL])[0] == COUNTS_ALL
        if run.status in {"completed", "failed"}:
            promises.check(belt, run.run, notice, lines, run.status, is_recent=is_recent)
        assert promises.agree(belt, run.run, is_recent=is_recent)["status"] == notice["status"] == run.status
        assert all(count <= max(before[first], 1) for first, count in paid(belt).items()), "paid twice"
