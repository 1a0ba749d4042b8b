"""A message to be published to SNS."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from conveyor.domain.status import STATUSES, Status
from conveyor.wording.console import Console
from conveyor.wording.mail import Mail, Sender, text_of
from conveyor.wording.message import Event, Message, Needs, Todo
from conveyor.wording.text import sentence, subject


class Notice(NamedTuple):
    """A message for SNS, as text and as data. Fields of both become message attributes for filters."""

    run: str
    name: str
    status: Status
    subject: str
    message: str
    project: str
    data: Message

    def to_state(self) -> dict[str, Any]:
        """Return it as the state machine carries it."""
        return {**self._asdict(), "data": msgspec.to_builtins(self.data)}


class About(NamedTuple):
    """What a message is about, and where the run is."""

    run: str
    name: str
    project: str
    console: Console
    at: datetime
    """When it happened."""


class Sent(NamedTuple):
    """When a message about a run that goes on is made, and where the run is."""

    at: datetime
    console: Console = Console("")

    def about(self, run: str, name: str, project: str) -> About:
        """Return what the message is about."""
        return About(run, name, project, self.console, self.at)


class Kind(NamedTuple):
    """What kind of message it is."""

    event: Event
    status: Status
    needs: Needs
    end_of_id: str = ""
    """Where the event can come twice; by default the event."""
    code: str | None = None


def notice(  # noqa: PLR0913, PLR0917
    about: About, kind: Kind, figures: str, mail: Mail, facts: Mapping[str, Any], named: str = ""
) -> Notice:
    """Return a message.

    `figures`: in brackets at the end of its subject. `facts`: further fields of its body. `named`: what the subject
    names, if not the run.
    """
    run, name, project, console, at = about
    title = subject(STATUSES[kind.status].word, named or name, figures)
    data = Message(
        id=f"{run}/{kind.end_of_id or kind.event}",
        event=kind.event,
        status=kind.status,
        code=kind.code,
        needs=kind.needs,
        at=at,
        run=run,
        name=name,
        project=project,
        stack=console.stack,
        subject=title,
        first=sentence(mail.first),
        second=mail.second,
        steps=[Todo(*step) for step in mail.steps],
        link=mail.link.url if mail.link else None,
        **facts,
    )
    text = text_of(mail, Sender(run, project, console.stack))
    return Notice(run, name, kind.status, title, text, project, data)
