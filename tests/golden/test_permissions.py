"""Functions of the last release, which runs still call after an update, keep the permissions that they need."""

import msgspec
import pytest

from tests.golden.permissions import UNUSED, gone_too_early, of_last_release, of_template

LISTED = "PollRole: s3:GetObject b/*"


def test_no_permission_of_the_last_release_is_gone_before_its_functions_are() -> None:
    """A call of an old version would be denied for 24 hours, and then the run would fail.

    To remove one, stop using it, list it in `unused-permissions.json` with the release that does not need it any more,
    and remove it in the release after that.
    """
    unused = msgspec.json.decode(UNUSED.read_bytes(), type=dict[str, str])
    assert gone_too_early(*of_last_release(), of_template(), unused) == []


@pytest.mark.parametrize(
    ("unused", "early"),
    [({}, [LISTED]), ({LISTED: "0.3.0"}, [LISTED]), ({LISTED: "0.2.0"}, []), ({LISTED: "0.1.0"}, [])],
)
def test_a_permission_may_go_if_the_last_release_did_not_need_it(unused: dict[str, str], early: list[str]) -> None:
    """The release in the list is the first that does not need it; numbers are compared, not texts."""
    before = {"PollRole": ["s3:GetObject a/*", "s3:GetObject b/*"], "NewRole": []}
    assert gone_too_early("0.2.0", before, {"PollRole": ["s3:GetObject a/*", "s3:PutObject a/*"]}, unused) == early
    assert gone_too_early("0.10.0", before, {"PollRole": ["s3:GetObject a/*"]}, {LISTED: "0.9.0"}) == []


def test_a_role_that_is_gone_takes_its_permissions_with_it() -> None:
    """The functions of the last release would have none at all."""
    assert gone_too_early("0.1.0", {"PollRole": ["s3:GetObject b/*"]}, {}, {}) == [LISTED]
