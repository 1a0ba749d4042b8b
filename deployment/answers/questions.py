"""The questions: at most four, and none that a file, the command line or the stack itself answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment.answers.checks import region_fault, stack_fault
from deployment.aws.account import default_region, known_regions
from deployment.trouble import misused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployment.screen import Screen
    from deployment.settings.template import Template

DEFAULT_STACK = "conveyor"
EMAIL, SECRET, AUTH, WORKSPACE = "NotificationEmail", "ApiKeySecretName", "Auth", "WorkspaceId"
SIGNED = "aws"
"""The value of `Auth` without a key, and the answer that chooses it."""
_ASKED = (EMAIL, SECRET, WORKSPACE)


@dataclass(frozen=True)
class Questions:
    """The questions, with the terminal that they are asked in."""

    screen: Screen
    template: Template

    def stack(self, given: str | None) -> str:
        """Return the name of the stack."""
        return self._answer(
            given, "STACK", "1/4  Name of the stack, or of one that is there to update it", DEFAULT_STACK, stack_fault
        )

    def region(self, given: str | None) -> str:
        """Return the Region."""
        default = default_region() if given is None and self.screen.has_terminal else ""
        return self._answer(given, "REGION", "2/4  Region, such as us-east-1", default, region_fault(known_regions()))

    def parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters of a new stack: those given, with the answers to the third and fourth question."""
        answers = dict(given)
        if EMAIL not in answers:
            what = "3/4  E-mail address for messages (Enter for none)"
            answers[EMAIL] = self._answer(None, "EMAIL", what, "", self.template.parameters[EMAIL].fault)
        if SECRET not in answers and answers.get(AUTH) != SIGNED:
            answers |= self._key()
        return answers

    def _key(self) -> dict[str, str]:
        """Ask where the provider's key is."""
        if not self.screen.has_terminal:
            raise _missing("SECRET")
        self.screen.line('     The key of the provider is in a secret of this account. Answer "aws" if you have none,')
        self.screen.line("     and your requests go to Claude Platform on AWS.")
        default = self.template.parameters[SECRET].default or ""
        answer = self.screen.ask("4/4  Name of the secret (a new one is created)", default, self._secret_fault)
        if answer != SIGNED:
            return {SECRET: answer}
        return {
            AUTH: SIGNED,
            WORKSPACE: self.screen.ask("     Id of the workspace (wrkspc_…)", "", self._workspace_fault),
        }

    def _secret_fault(self, name: str) -> str | None:
        return self.template.parameters[SECRET].fault(name)

    def _workspace_fault(self, workspace: str) -> str | None:
        if not workspace:
            return "without a key, the id of a workspace in this Region is needed"
        return self.template.parameters[WORKSPACE].fault(workspace)

    def _answer(
        self, given: str | None, variable: str, question: str, default: str, fault: Callable[[str], str | None]
    ) -> str:
        """Return what is given, or ask. Raises Trouble if what is given has a fault, or nobody can be asked."""
        if given is None:
            if not self.screen.has_terminal:
                raise _missing(variable)
            return self.screen.ask(question, default, fault)
        said = fault(given)
        if said is not None:
            raise misused(said)
        return given


_MEANS = {
    "STACK": "the name of the stack",
    "REGION": "its Region",
    "EMAIL": "an e-mail address for messages, or nothing for none",
    "SECRET": "the name of the secret that holds the provider's key; without a key, write WORKSPACE=wrkspc_… instead",
}


def _missing(variable: str) -> Exception:
    return misused(
        f"{variable} is missing, and there is no terminal to ask in: {_MEANS[variable]}.",
        "The first deployment of a stack without a terminal names all four:",
        commands=("make deploy STACK=conveyor REGION=us-east-1 EMAIL=team@example.com SECRET=conveyor/api-key YES=1",),
    )
