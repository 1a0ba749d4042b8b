"""Links into the AWS console.

Console domains: https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/learn-whats-new.html and the partitions' own
documents (China: console.amazonaws.cn; GovCloud: console.amazonaws-us-gov.com).
"""

from typing import NamedTuple, Self
from urllib.parse import quote

_DOMAINS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""By partition. In others there are no links."""


class Console(NamedTuple):
    """The console of the Region in which an execution runs."""

    execution: str
    """The ARN of the execution; empty if there is no console to link to."""

    @classmethod
    def of(cls, execution: str, endpoint: str = "") -> Self:
        """Take the ARN of an execution. `endpoint`: of a local AWS, which has no console; then there are no links."""
        return cls("" if endpoint else execution)

    @property
    def _place(self) -> tuple[str, str] | None:
        """The Region, and the address of its console."""
        parts = self.execution.split(":")
        if len(parts) < 8 or parts[1] not in _DOMAINS:  # noqa: PLR2004  # arn:partition:states:region:…:machine:name
            return None
        return parts[3], f"https://{parts[3]}.{_DOMAINS[parts[1]]}"

    def prefix(self, bucket: str, prefix: str) -> str | None:
        """Return the page that lists the objects under a prefix, which ends in a slash."""
        if self._place is None:
            return None
        region, address = self._place
        return f"{address}/s3/buckets/{bucket}?region={region}&prefix={quote(prefix)}"

    def run(self) -> str | None:
        """Return the page of the execution."""
        if self._place is None:
            return None
        region, address = self._place
        return f"{address}/states/home?region={region}#/v2/executions/details/{quote(self.execution, safe=':')}"
