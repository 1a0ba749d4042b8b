"""The table of statuses, and which one a run ends with if several apply."""

import pytest

from conveyor.domain.status import STATUSES, Status, final_status

FINE = {"code": None, "sent": True, "answered": 2, "balances": True, "stuck": False}


@pytest.mark.parametrize(
    ("differs", "status"),
    [
        ({}, "completed"),
        ({"answered": 0}, "failed"),
        ({"code": "credit-exhausted"}, "completed"),
        ({"code": "credit-exhausted", "answered": 0}, "failed"),
        ({"code": "credit-exhausted", "sent": False, "answered": 0}, "refused"),
        ({"code": "stopped"}, "stopped"),
        ({"code": "stopped", "answered": 0}, "stopped"),
        ({"code": "stopped", "sent": False, "answered": 0}, "stopped"),
        ({"stuck": True}, "stuck"),
        ({"stuck": True, "answered": 0}, "stuck"),
        ({"stuck": True, "code": "stopped", "answered": 0}, "stuck"),
        ({"stuck": True, "code": "unsent"}, "stuck"),
        ({"balances": False}, "unbalanced"),
        ({"balances": False, "stuck": True, "code": "stopped", "answered": 0}, "unbalanced"),
    ],
)
def test_of_several_statuses_the_one_that_must_be_looked_into_first_counts(
    differs: dict[str, object], status: str
) -> None:
    """The order is unbalanced, stuck, stopped, refused, failed, completed."""
    chosen = final_status(**{**FINE, **differs})  # type: ignore[arg-type]  # a table of differences
    assert chosen == status
    assert STATUSES[chosen].is_final


def test_every_status_is_in_the_table_and_can_be_filtered() -> None:
    """Lower case and dashes, as SNS filter policies compare them."""
    assert set(STATUSES) == set(Status)
    assert all(status.replace("-", "").isalpha() and status.islower() for status in Status)
