from __future__ import annotations

from conveyor.domain.status import STATUSES
from local.stack.messages import NON_FINAL_STATUSES, Message


def test_a_message_about_a_run_that_goes_on_is_not_its_end() -> None:
    """The statuses that the demo waits beyond are those that are not final."""
    assert sorted(NON_FINAL_STATUSES) == sorted(status for status, about in STATUSES.items() if not about.is_final)
    assert not Message("", "", {"status": "troubled"}).is_final
    assert Message("", "", {"status": "completed"}).is_final
