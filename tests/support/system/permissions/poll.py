"""What a run needs the permissions of `poll` for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.system.permissions.checks import (
    ASKED_OF_POLL,
    LOST_ANSWER,
    REACHED,
    in_turn,
    leaves_no_log,
    limited,
    stops_the_run,
    under_a_ceiling,
)
from tests.support.system.runs import BARE, SHORT_TIMES, WAITING
from tests.support.system.scene import LINE, Scene

if TYPE_CHECKING:
    from tests.support.system.permissions.checks import Scenes


def holds_up_a_resend(scene: Scene) -> None:
    """Check that poll waits for another run's batch, since it cannot read the claim and the batch may be ours."""
    lines = "\n".join(LINE.replace('"a"', f'"{number}"') for number in range(7))  # a size that no other batch has
    scene.stack.provider_settings({"seconds": None} | BARE)
    other = scene.drop(lines, "inbox/another.jsonl")
    scene.wait_for_key(f"claims/batches/{other.fact('batches/1/batch-1.json')['id']}")
    scene.stack.provider_settings({"faults": [{"call": "create", "do": {"kind": "lose", "when": "before"}}]})
    with scene.without():
        run = scene.drop(lines)
        over = datetime.fromisoformat(run.fact("batches/1/unknown-1.json")["at"])
        settled = over + timedelta(seconds=int(SHORT_TIMES["settle-seconds"]))
        scene.wait(lambda: datetime.now(UTC) > settled or None, "end of the settle time")
        events = len(run.events())
        scene.wait(lambda: len(run.events()) > events + 40 or None, "four more polls")
        assert not run.has("batches/1/absent-1.json")
    run.fact("batches/1/attempt-2.json")
    scene.stack.provider_settings({"seconds": 0})
    assert {one.first_status() for one in (run, other)} == {"completed"}


def keeps_the_gate_closed(scene: Scene) -> None:
    """Check that a run which waits for right limits waits until poll can read that they are."""
    run = scene.drop(metadata={"hold": "always"})
    assert run.first_status() == WAITING
    with limited(scene, "no limits"):
        run.write_control("approve-1", "approve")
        assert [reason["code"] for reason in run.fact("gate-2.json")["reasons"]] == ["budgets-unread"]
        with scene.without(), limited(scene, {}):
            events = len(run.events())
            scene.wait(lambda: len(run.events()) > events + 40 or None, "four more polls")
            assert not run.has("passed-2.json")
    assert run.fact("passed-2.json")["how"] == "repaired"
    assert run.receipt()["status"] == "completed"


def cannot_claim_what_it_adopts(scene: Scene) -> None:
    """Check that a lost batch is adopted only after its claim is written."""
    stops_the_run("s3:PutObject", faults=[LOST_ANSWER])(scene)
    batch = scene.stack.provider_stats()["batches"][-1]["id"]
    scene.wait_for_key(f"claims/batches/{batch}")


def cannot_read_a_decision(scene: Scene) -> None:
    """Check that poll fails while it cannot read an operator's decision, and then follows it."""
    scene.stack.provider_settings({"seconds": None, "faults": [LOST_ANSWER]} | BARE)
    with scene.without():
        run = scene.drop()
        run.fact("batches/1/unknown-1.json")
        batch = scene.stack.provider_stats()["batches"][-1]["id"]
        run.write_control("batches/1/attempt-1", f"adopt {batch}")
        scene.wait(lambda: scene.refusal(run, "s3:GetObject"), "task that may not read")
        assert not run.messages()
        assert not run.has("batches/1/batch-1.json")
    adopted = run.fact("batches/1/batch-1.json")
    assert (adopted["id"], adopted["released"]) == (batch, True)
    scene.stack.provider_settings({"seconds": 0})
    assert run.first_status() == "completed"


POLL: Scenes = {
    ("PollRole", "WriteLogs"): leaves_no_log("poll"),
    ("PollRole", "ReadAndWriteLedger"): stops_the_run("s3:GetObject"),
    ("PollRole", "ListLedger"): stops_the_run("s3:ListBucket"),
    ("PollRole", "ReadAndWriteClaims"): in_turn(holds_up_a_resend, cannot_claim_what_it_adopts),
    ("PollRole", "TellOfSpending"): under_a_ceiling(stops_the_run("s3:PutObject", status=REACHED)),
    ("PollRole", "ListIndex"): under_a_ceiling(stops_the_run("s3:ListBucket", status=REACHED)),
    ("PollRole", "ReadConfig"): keeps_the_gate_closed,
    ("PollRole", "ListConfig"): keeps_the_gate_closed,
    ("PollRole", "ReadControl"): cannot_read_a_decision,
    ("PollRole", "ListControl"): stops_the_run("s3:ListBucket"),
    ("PollRole", "ReadApiKey"): stops_the_run("secretsmanager:GetSecretValue", faults=[ASKED_OF_POLL]),
}
"""By role and Sid."""
