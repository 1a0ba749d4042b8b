"""Every kind of message: small enough for SNS, with an id of its own, and commands that the command line knows."""

import json
import shlex
from datetime import timedelta
from decimal import Decimal

import click
import pytest
from msgspec.structs import replace

from conveyor.domain.findings import Findings, FirstFault
from conveyor.domain.plan import Batch, Plan, ValidatedDrop
from conveyor.gates.gate import Held
from conveyor.gates.message import waiting_notice
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.poll.decisions.decision import Risk
from conveyor.poll.message import at_risk_notice
from conveyor.report.message import notice_of
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice, Sent
from conveyor_cli.main import cli
from tests.support.examples import NOW, RUN
from tests.support.message_bodies import check_body
from tests.support.receipts import EVERY
from tests.support.shell.messages import messages, of_conveyor

MOST = 256 * 1024
"""Bytes of a message of SNS, of a state of Step Functions, and of an event."""
ARN = "arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1"
ALL = {**{name: notice_of(receipt, Console.of(ARN)) for name, receipt in EVERY.items()}, **dict(messages(RUN))}
TEXT = "ä" * 400
KEY = f"inbox/{'ä' * 500}.jsonl"
LONG = replace(RUN, name="n" * 512, project="p" * 64, drop=replace(RUN.drop, key=KEY, bucket="b" * 63))


def composed(notice: Notice) -> str:
    """Return the message as the state machine publishes it: the text for people, and five times the body."""
    state = json.loads(json.dumps(notice.to_state()))
    body = json.dumps(state["data"], ensure_ascii=False)
    protocols = dict.fromkeys(("sqs", "http", "https", "lambda", "firehose"), body)
    return json.dumps({"default": state["message"], "sms": state["subject"], **protocols}, ensure_ascii=False)


def largest() -> list[Notice]:
    """Return messages with as much in them as facts can hold."""
    receipt = EVERY["some failed"]
    (batch,) = receipt.batches
    errors = {f"type_{number}".ljust(60, "x"): ErrorKind(1) for number in range(50)}
    duplicates = [replace(batch, duplicates=["msgbatch_" + "x" * 400])] * 3_000
    ended = replace(
        receipt, run=LONG.run, name=LONG.name, project=LONG.project, errors=errors, batches=duplicates,
        given_up=[TEXT] * 3_000, reason=TEXT, code="unsent",
        findings=Findings(9, {f"code-{n}": 1 for n in range(30)}, [FirstFault(1, "c" * 30, TEXT)] * 10),
        drop={**receipt.drop, "key": KEY, "bucket": "b" * 63},
    )  # fmt: skip
    risks = [Risk("msgbatch_" + "x" * 400, 9, NOW, NOW)] * 3_000
    reasons = [Reason(code, TEXT) for code in ReasonCode]
    gate = Gate("w", NOW, open=False, reasons=reasons, need_usd=Decimal(10**9), until=NOW)
    plan = Plan(ValidatedDrop(3, "f00"), [Batch(1, 1, 0, requests=3)])
    sent = Sent(NOW, Console.of(ARN))
    return [
        notice_of(ended, Console.of(ARN)),
        at_risk_notice(LONG, risks, timedelta(days=1), sent),
        waiting_notice(LONG, Held(9, gate, plan, TEXT), sent),
        *(notice for _, notice in messages(LONG)),
    ]


def test_the_largest_message_fits_several_times_into_what_sns_takes() -> None:
    """Else it could not be published, and its run would fail for a day."""
    sizes = [len(composed(notice).encode()) for notice in largest()]
    assert max(sizes) < MOST / 2
    assert all(len(json.dumps(notice.to_state()).encode()) < MOST / 2 for notice in largest())


@pytest.mark.parametrize("name", ALL)
def test_every_body_keeps_its_schema_and_a_subject_its_limits(name: str) -> None:
    """Whatever the message is about."""
    notice = ALL[name]
    check_body(notice.to_state())
    assert len(notice.subject) <= 99
    assert notice.subject.isascii()
    assert "$0.00" not in notice.message or "nothing was charged" in " ".join(notice.message.lower().split())


def test_no_two_kinds_of_message_about_a_run_have_one_id() -> None:
    """Consumers recognise a repeated message by it: of messages that can both come, none has the id of another."""
    during = {name: notice for name, notice in messages(RUN) if notice.data.event != "ended"}
    kept = {name: notice.data.id for name, notice in during.items() if name not in {"probe failed", "limits unread"}}
    assert len(set(kept.values())) == len(kept)
    assert {notice.data.id for notice in ALL.values() if notice.data.event == "ended"} == {f"{RUN.run}/ended"}


def test_the_same_message_has_the_same_id_again() -> None:
    """A repeated poll makes the same message again."""
    first, second = ({name: notice.data.id for name, notice in messages(RUN)} for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ALL)
def test_every_command_of_a_message_is_one_that_the_command_line_knows(name: str) -> None:
    """With options that it has; a person pastes it as it is."""
    for line in of_conveyor(ALL[name]):
        _, word, *words = shlex.split(line)
        group = click.Context(cli)
        command = cli.get_command(group, word)
        assert command, line
        command.make_context(word, words, parent=group)
    assert set(ALL[name].data.commands.values()) <= set(of_conveyor(ALL[name]))


def test_people_and_programs_are_told_who_should_act() -> None:
    """The attribute `needs`, by which a subscriber filters."""
    needs = {name: notice.data.needs.value for name, notice in ALL.items()}
    expected = {
        "all answered": "nobody", "some failed": "user", "nothing succeeded": "user", "stopped half-way": "nobody",
        "refused by the provider": "operator", "refused for its lines": "user", "unbalanced": "operator",
        "waiting": "approver", "limits unread": "operator", "troubled": "operator", "at risk": "nobody",
        "undecided": "operator", "budget reached": "nobody", "started": "nobody", "estimated": "nobody",
    }  # fmt: skip
    assert {name: needs[name] for name in expected} == expected
