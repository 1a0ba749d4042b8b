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
_MACHINE = "-run"
"""What `template.yaml` adds to the name of the stack."""


class Console(NamedTuple):
    """The console of the Region in which an execution runs."""

    execution: str
    """The ARN of the execution; empty if it is not known."""
    has_pages: bool = True
    """False for a local AWS, which has no console to link to."""

    @classmethod
    def of(cls, execution: str, endpoint: str = "") -> Self:
        """Take the ARN of an execution. `endpoint`: of a local AWS, which has no console; then there are no links."""
        return cls(execution, not endpoint)

    @property
    def stack(self) -> str:
        """The name of the stack, which begins that of its state machine; empty if it is not known."""
        parts = self.execution.split(":")
        return parts[6].removesuffix(_MACHINE) if len(parts) > 6 else ""  # noqa: PLR2004  # see below

    @property
    def _place(self) -> tuple[str, str] | None:
        """The Region, and the address of its console."""
        parts = self.execution.split(":") if self.has_pages else []
        if len(parts) < 8 or parts[1] not in _DOMAINS:  # noqa: PLR2004  # arn:partition:states:region:…:machine:name
            return None
        return parts[3], f"https://{parts[3]}.{_DOMAINS[parts[1]]}"

    def prefix(self, bucket: str, prefix: str) -> str | None:
        """Return the page that lists the objects under a prefix, which ends in a slash."""
        if self._place is None:
            return None
        region, address = self._place
        return f"{address}/s3/buckets/{bucket}?region={region}&prefix={quote(prefix)}"

    def object(self, bucket: str, key: str) -> str | None:
        """Return the page of an object, from which it can be opened."""
        if self._place is None:
            return None
        region, address = self._place
        return f"{address}/s3/object/{bucket}?region={region}&prefix={quote(key)}"

    def run(self) -> str | None:
        """Return the page of the execution."""
        if self._place is None:
            return None
        region, address = self._place
        return f"{address}/states/home?region={region}#/v2/executions/details/{quote(self.execution, safe=':')}"
