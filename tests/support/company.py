"""Keys of a company, with the policy that the page for its key administrator has."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from local.stack.deployment import STACK_NAME
from local.stack.local_aws import REGION
from tests.support import template

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

PAGE = (template.PROJECT / "docs" / "company.md").read_text()
ACCOUNT = "000000000000"


def key_policy() -> list[dict[str, Any]]:
    """Return the statements of the page, filled in for the local stack."""
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for name, value in {"account": ACCOUNT, "Region": REGION, "stack": STACK_NAME}.items():
        block = block.replace(f"<{name}>", value)
    statements: list[dict[str, Any]] = json.loads(block)
    return statements


def create_key(aws: Aws, statements: list[dict[str, Any]]) -> str:
    """Create a key with a policy; return its ARN."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn: str = aws.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    return arn
