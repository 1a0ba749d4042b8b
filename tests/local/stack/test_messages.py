"""Messages of a topic, as the local stack returns them."""

from __future__ import annotations

from conveyor.domain.status import STATUSES
from local.stack.messages import NON_FINAL_STATUSES, Message


def test_a_message_about_a_run_that_continues_is_not_final() -> None:
    """The core's statuses that are not final are those after which the demo keeps waiting."""
    assert sorted(NON_FINAL_STATUSES) == sorted(status for status, fields in STATUSES.items() if not fields.is_final)
    assert not Message("", "", {"status": "troubled"}).is_final
    assert Message("", "", {"status": "completed"}).is_final
