"""What all checks read with: clients, and the template of the stack as it was deployed."""

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from conveyor_cli.aws.account import Account
from conveyor_cli.doctor.template import Json, Names, Template
from conveyor_cli.stacks.chosen import ChosenStack

if TYPE_CHECKING:
    from collections.abc import Callable

_INVOKED = 120
"""Seconds for the answer of a function: it may start cold, and wait for the provider."""


class Desk:
    """A person's view of one stack. Errors are botocore's."""

    def __init__(self, chosen: ChosenStack) -> None:
        """Take a stack as it is deployed now; nothing is asked yet."""
        self.chosen = chosen
        self.profile = chosen.profile
        self.account = Account(self.profile.region, self.profile.aws_profile)
        self.client: Callable[[str], Any] = cache(self._client)

    @property
    def region(self) -> str:
        """The Region of the stack."""
        return self.profile.region

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.chosen.bucket.bucket

    @property
    def status(self) -> str:
        """The status of the stack, asked for now."""
        return self.account.stack(self.profile.stack).status

    @cached_property
    def template(self) -> Template:
        """The template after its transforms, with the names of what was made of it."""
        formation, name = self.client("cloudformation"), self.profile.stack
        document: Json = formation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
        pages = formation.get_paginator("list_stack_resources").paginate(StackName=name)
        listed = [each for page in pages for each in page["StackResourceSummaries"]]
        ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed if "PhysicalResourceId" in each}
        _, partition, *_ = self.profile.stack_id.split(":")
        of = self.profile
        return Template(document, Names(of.stack, of.stack_id, of.region, of.account, partition, of.parameters, ids))

    def id(self, name: str) -> str:
        """Return the physical id of a resource."""
        return self.template.id(name)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - any service
        return self.account.client(service, _INVOKED) if service == "lambda" else self.account.client(service)
