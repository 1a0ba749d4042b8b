"""What people and AWS do while a run is in trouble on the deployed stack."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import httpx

from local.stack.start import PLACEHOLDER_KEY, SECRET_NAME
from tests.support.provider_clients.base import WAIT_SECONDS

if TYPE_CHECKING:
    from tests.support.system.runs import LiveRun

OTHER_KEY = "sk-ant-local-another"
MANY_LIST_CALLS = 300
"""More list calls than polls make within settle-seconds."""


def clear_faults(run: LiveRun, **settings: Any) -> None:
    """Remove the faults, after checking that each has happened."""
    assert all(fault["struck"] for fault in run.stack.provider_stats()["faults"])
    run.stack.provider_settings({"faults": [], **settings})


def read_again_at_once(run: LiveRun) -> None:
    """Skip the half minute before interrupted results are read again."""
    run.backdate("batches/1/unread-1.json")


def invoke_submit_again(run: LiveRun) -> None:
    """Invoke submit while it is unknown whether the lost call created a batch."""
    run.fact("batches/1/unknown-1.json")
    for _ in range(3):
        payload = json.dumps({"run": run.run})
        answer = run.stack.lambdas.invoke(FunctionName=run.stack.functions["submit"], Payload=payload)
        assert "FunctionError" not in answer
    assert not run.has("batches/1/batch-1.json")
    run.stack.provider_settings({"seconds": 0})


def adopt(run: LiveRun) -> None:
    """Run the message's adopt command; the results become readable only after that."""
    command, *_ = undecided_commands(run)
    run.execute(command)
    batch = run.stack.provider_stats()["batches"][-1]["id"]
    submitted = run.fact("batches/1/batch-1.json")
    assert (submitted["id"], submitted["released"]) == (batch, True)
    run.fact("batches/1/unread-1.json")
    clear_faults(run)
    run.backdate("batches/1/unread-1.json")


def submit_again(run: LiveRun) -> None:
    """Run the message's submit again command."""
    _, command, _ = undecided_commands(run)
    assert not run.has("batches/1/absent-1.json")
    run.execute(command)
    assert run.fact("batches/1/absent-1.json")["released"] is True


def stop_undecided(run: LiveRun) -> None:
    """Run the message's stop command."""
    *_, command = undecided_commands(run)
    run.execute(command)


def undecided_commands(run: LiveRun) -> list[str]:
    """Return the commands of the undecided message: adopt, submit again, stop."""
    lines = run.message("undecided").text.splitlines()
    commands = [line.strip() for line in lines if line.startswith("    echo ")]
    (batch_id,) = [batch["id"] for batch in run.stack.provider_stats()["batches"][-1:]]
    assert [shlex.split(command)[1] for command in commands] == [f"adopt {batch_id}", "submit again", "stop"]
    return commands


def stop(run: LiveRun) -> None:
    """Stop the run while its batch runs."""
    run.fact("batches/1/batch-1.json")
    run.write_control("cancel", "")


def stop_before_retry(run: LiveRun) -> None:
    """Stop the run while it waits for its next attempt."""
    run.fact("batches/1/refused-1.json")
    run.write_control("cancel", "")


def stop_unanswered(run: LiveRun) -> None:
    """Stop the run while it is unknown whether there is a batch."""
    run.fact("batches/1/unknown-1.json")
    run.write_control("cancel", "")
    run.fact("refused.json")
    assert not run.has("batches/1/batch-1.json")
    run.stack.provider_settings({"seconds": 0})


def rotate_the_key(run: LiveRun) -> None:
    """Replace the key at the provider, and run the message's command with the new key."""
    run.fact("batches/1/batch-1.json")
    run.stack.provider_settings({"api_key": OTHER_KEY})
    text = run.message("troubled").text
    assert "HTTP 401" in text
    (command,) = [line.strip() for line in text.splitlines() if "put-secret-value" in line]
    assert command == f'aws secretsmanager put-secret-value --secret-id {SECRET_NAME} --secret-string "${{API_KEY:?}}"'
    secrets = run.stack.aws.client("secretsmanager")
    secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=OTHER_KEY)
    try:
        run.stack.provider_settings({"seconds": 0})
        run.ended()
    finally:
        secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=PLACEHOLDER_KEY)


def list_too_late(run: LiveRun) -> None:
    """Hide the first batch from the list until the second one is created."""
    run.fact("batches/1/unknown-1.json")
    first = run.stack.provider_stats()["batches"][-1]
    run.wait(lambda: run.stack.provider_stats()["batches"][-1]["processing_status"] == "ended" or None, "first batch")
    run.stack.provider_settings({"seconds": None})
    run.fact("batches/1/batch-1.json")
    assert run.stack.provider is not None
    headers = {"x-api-key": PLACEHOLDER_KEY, "anthropic-version": "2023-06-01"}
    path = {"messages": "/v1/messages/batches", "files": "/v1/batches"}[run.stack.parameters["BatchApi"]]
    with httpx.Client(
        base_url=run.stack.provider.url, headers=headers, trust_env=False, timeout=WAIT_SECONDS
    ) as client:
        for _ in range(MANY_LIST_CALLS):
            client.get(path, params={"limit": 1}).raise_for_status()
    run.fact(f"batches/1/duplicate-{first['id']}.json")
    run.stack.provider_settings({"seconds": 0})
