"""Objects of many gigabytes are copied by S3, in pieces of a size at which S3 responds in seconds."""

from hypothesis import given
from hypothesis import strategies as st

from conveyor.s3.pieces import SMALLEST, pieces_of

MIB = 1024**2
GIB = 1024**3
TIB = 1024**4
SIZES = st.lists(
    st.one_of(st.integers(0, 12 * MIB), st.integers(0, 2 * GIB), st.just(SMALLEST)), min_size=1, max_size=40
)


@given(SIZES)
def test_pieces_are_the_objects_one_after_the_other(sizes: list[int]) -> None:
    """S3 takes no part below 5 MiB but the last; what is read into memory has less than twice that."""
    objects = {f"part-{number}": size for number, size in enumerate(sizes)}
    pieces = pieces_of(objects)
    assert [piece.number for piece in pieces] == list(range(1, len(pieces) + 1))
    assert all(piece.bytes >= SMALLEST for piece in pieces[:-1])
    assert all(piece.is_copied or piece.bytes < 2 * SMALLEST for piece in pieces)
    at = dict.fromkeys(objects, 0)
    for each in (each for piece in pieces for each in piece.ranges):
        assert each.start == at[each.key] < each.end, "a byte is left out, or is there twice"
        at[each.key] = each.end
    assert at == objects
    order = [each.key for piece in pieces for each in piece.ranges]
    assert order == sorted(order, key=list(objects).index)


def test_s3_copies_256_mib_by_one_call() -> None:
    """It responds once the whole range is copied, and a call that takes a minute counts as failed."""
    pieces = pieces_of({"a": 2 * GIB + 5 * MIB})
    assert [piece.bytes for piece in pieces] == [256 * MIB] * 8 + [5 * MIB]


def test_the_largest_file_has_no_more_parts_than_s3_takes() -> None:
    """3,000 batches with 50 TiB of results: pieces get longer."""
    objects = {f"part-{number}": 50 * TIB // 3000 for number in range(3000)}
    assert len(pieces_of(objects)) <= 10_000  # S3's limit
