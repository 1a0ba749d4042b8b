"""The summary of faults in a refusal."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.findings import MOST_FIRST, Fault, findings_of


def fault(line: int, code: str) -> Fault:
    """Return a fault of a line."""
    return Fault(line, 0, None, code, f"{code} on {line}")


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from("abcdefghijklmnop")), min_size=1).map(sorted))
def test_the_first_faults_are_at_least_one_of_each_code_while_there_is_room(
    given_faults: list[tuple[int, str]],
) -> None:
    """They are in the order of the drop; all faults are counted."""
    faults = [fault(*each) for each in given_faults]
    findings = findings_of(faults)
    assert findings is not None
    assert findings.codes == Counter(each.code for each in faults)
    assert list(findings.codes.values()) == sorted(findings.codes.values(), reverse=True)
    assert findings.lines == len({each.line for each in faults})
    assert len(findings.first) == min(MOST_FIRST, len(faults))
    assert len({each.code for each in findings.first}) == min(MOST_FIRST, len(findings.codes))
    assert [each.line for each in findings.first] == sorted(each.line or 0 for each in findings.first)


def test_of_one_code_the_first_ten_are_named() -> None:
    """Of a rare code the first fault is named, however late it is."""
    findings = findings_of([*(fault(n, "a") for n in range(1, 5000)), fault(5000, "b")])
    assert findings is not None
    assert [each.line for each in findings.first] == [*range(1, 10), 5000]


def test_no_faults_are_an_empty_summary() -> None:
    """A valid drop has none."""
    assert findings_of([]) is None
