"""A message to be published to SNS."""

from typing import NamedTuple

from conveyor.domain.status import Status


class Notice(NamedTuple):
    """A message for SNS. `status`, `run`, `name` and `project` become message attributes for filters."""

    run: str
    name: str
    status: Status
    subject: str
    message: str
    project: str
