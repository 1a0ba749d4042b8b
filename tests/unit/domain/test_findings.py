"""What a refusal says of faults in short."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.findings import MOST_FIRST, Fault, findings_of


def fault(line: int, code: str) -> Fault:
    """Write a fault of a line."""
    return Fault(line, 0, None, code, f"{code} on {line}")


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from("abcdefghijklmnop")), min_size=1).map(sorted))
def test_the_first_faults_are_at_least_one_of_each_code_while_there_is_room(
    given_faults: list[tuple[int, str]],
) -> None:
    """In the order of the drop; all are counted."""
    faults = [fault(*each) for each in given_faults]
    found = findings_of(faults)
    assert found is not None
    assert found.codes == Counter(each.code for each in faults)
    assert list(found.codes.values()) == sorted(found.codes.values(), reverse=True)
    assert found.lines == len({each.line for each in faults})
    assert len(found.first) == min(MOST_FIRST, len(faults))
    assert len({each.code for each in found.first}) == min(MOST_FIRST, len(found.codes))
    assert [each.line for each in found.first] == sorted(each.line or 0 for each in found.first)


def test_of_one_code_the_first_ten_are_named() -> None:
    """And of a rare one its first, however late it comes."""
    found = findings_of([*(fault(n, "a") for n in range(1, 5000)), fault(5000, "b")])
    assert found is not None
    assert [each.line for each in found.first] == [*range(1, 10), 5000]


def test_no_faults_are_nothing_to_tell() -> None:
    """A sound drop has none."""
    assert findings_of([]) is None
