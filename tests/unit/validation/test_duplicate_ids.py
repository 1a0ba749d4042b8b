"""Duplicate ids are found without storing ids."""

from itertools import count

from conveyor.validation.duplicate_ids import HashOptions, IdHashes, PossibleDuplicates


def hashes_of(numbers: list[int]) -> IdHashes:
    """Store ids that are their own hashes."""
    hashes = IdHashes(10**9, HashOptions(int, 50_000))
    for number in numbers:
        hashes.first_line(str(number), 1)
    return hashes


def test_only_duplicate_ids_are_suspected() -> None:
    """Any distance between the two and any number of parts of the search is possible."""
    numbers = list(range(200_000))
    assert hashes_of(numbers).duplicates(None) == frozenset()
    numbers[199_999] = numbers[3]
    numbers[70_000] = numbers[69_999]
    assert hashes_of(numbers).duplicates(None) == {3, 69_999}


def test_the_first_duplicates_in_the_order_of_the_drop_are_reported() -> None:
    """Their hashes do not matter. More duplicates would take unbounded memory."""
    numbers = [*range(100_000, 0, -1), *range(100_000, 0, -1)]
    assert hashes_of(numbers).duplicates(3) == {100_000, 99_999, 99_998}


def test_an_id_that_is_used_many_times_counts_each_time() -> None:
    """Each of its lines is a fault, so no more hashes are needed."""
    assert hashes_of([7] * 50 + [1, 1]).duplicates(10) == {7}


def test_no_more_hashes_are_kept_than_can_matter() -> None:
    """A drop with too many requests is refused, and its other lines are only counted."""
    hashes = IdHashes(100_000, HashOptions(int, 50_000))
    for number in range(400_000):
        hashes.add_new([str(number)])
    hashes.add_new(["0"])
    assert hashes.duplicates(None) == frozenset()


def test_ids_whose_hashes_are_alike_are_not_taken_for_one() -> None:
    """The collision is reported, since it affected the bound of the search."""
    possible_duplicates = PossibleDuplicates(frozenset({1}), HashOptions(len))
    lines = count(1)
    assert [possible_duplicates.first_line(text, next(lines)) for text in ("a", "bc", "a", "bc")] == [
        None,
        None,
        1,
        None,
    ]
    assert not possible_duplicates.has_collision
    assert [possible_duplicates.first_line(text, next(lines)) for text in ("b", "a", "b")] == [None, 1, 5]
    assert possible_duplicates.has_collision
