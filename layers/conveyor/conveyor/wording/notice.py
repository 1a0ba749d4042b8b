"""The message that SNS is given."""

from typing import NamedTuple

from conveyor.domain.status import Status


class Notice(NamedTuple):
    """What SNS is given. `status`, `run` and `name` become message attributes to filter by."""

    run: str
    name: str
    status: Status
    subject: str
    message: str
