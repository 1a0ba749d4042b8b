"""`make local`: leave the local stack up until Ctrl-C, and say what to type meanwhile."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.demo import REAL_SCALE, SAMPLE, SAVED, SIMULATED_SCALE, Misuse, choices
from local.process import ProcessFailed, interruptible
from local.stack import Stack, local_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDER_SECONDS = 10.0  # until a batch of the simulated provider ends

EXPORTS = SAVED / "local.sh"

# What is written into that file: the real AWS CLI then talks to the local AWS and to nothing else.
# The endpoint as an option, too: not every version of the AWS CLI takes it from the environment.
SOURCED = """unset AWS_PROFILE
{exports}
aws() {{
  command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
}}
next_message() {{
  set -- "$(aws sqs receive-message --queue-url {queue} \\
    --query 'Messages[0]' --output json)"
  case $1 in ''|null) echo 'No message yet.' >&2; return 1 ;; esac
  printf '%s\\n' "$1" | {python} -c '
import json, sys
told = json.loads(json.load(sys.stdin)["Body"])
print(told.get("Subject", ""), told["Message"], sep="\\n\\n")' || return
  aws sqs delete-message --queue-url {queue} --receipt-handle "$(
    printf '%s\\n' "$1" | {python} -c 'import json, sys; print(json.load(sys.stdin)["ReceiptHandle"])')"
}}
"""

COMMANDS = """
The stack is up until Ctrl-C. In another terminal, for the real AWS CLI to talk to it and to nothing else:
    . {file}

Drop a file:
    aws s3 cp {sample} s3://{bucket}/inbox/
See its run (its state is RUNNING, then SUCCEEDED):
    aws stepfunctions list-executions --state-machine-arn {machine} --query 'executions[].[name,status]' --output text
Read the next message, once there is one, and remove it from the queue:
    next_message
List what came back, and read it:
    aws s3 ls --recursive s3://{bucket}/results/
    aws s3 ls --recursive s3://{bucket}/failures/
    aws s3 cp --recursive s3://{bucket}/results/ .demo/results/

No aws command? Install AWS CLI version 2; version 1 lacks an option that commands of messages have."""

SIMULATED = """
The simulated provider takes {seconds:g} s. Make every tenth request of all later drops fail, and see it:
    curl -X PUT {url}/_provider/settings -d '{{"every": {{"10": "errored:overloaded_error"}}}}'
    aws s3 cp {sample} s3://{bucket}/inbox/failing.jsonl
Let batches take a quarter of an hour, to stop a run meanwhile, say; then end them all:
    curl -X PUT {url}/_provider/settings -d '{{"seconds": 900}}'
    curl -X PUT {url}/_provider/settings -d '{{"seconds": 0}}'"""


def exports(stack: Stack) -> str:
    """Word the file that a shell sources."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in stack.aws.env.items()]
    python = shlex.quote(sys.executable)
    return SOURCED.format(exports="\n".join(lines), queue=shlex.quote(stack.queue_url), python=python)


def describe(stack: Stack) -> str:
    """Word the commands for a stack."""
    words = COMMANDS + (SIMULATED if stack.provider else "")
    return words.format(
        file=shlex.quote(str(EXPORTS)),
        sample=shlex.quote(str(SAMPLE)),
        bucket=stack.bucket,
        machine=stack.outputs["StateMachineArn"],
        seconds=PROVIDER_SECONDS,
        url=stack.provider.url if stack.provider else "",
    )


@contextmanager
def exported(stack: Stack) -> Iterator[None]:
    """Keep the file there for the length of the block."""
    EXPORTS.parent.mkdir(exist_ok=True)
    EXPORTS.write_text(exports(stack))
    try:
        yield
    finally:
        EXPORTS.unlink(missing_ok=True)


def main() -> int:
    """Run the stack until a signal comes; answers with the exit code."""
    start = time.monotonic()

    def announce(words: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {words}", flush=True)

    try:
        chosen = choices(os.environ)
        scale = REAL_SCALE if chosen.is_remote else SIMULATED_SCALE
        settings = {"seconds": PROVIDER_SECONDS}
        with (
            interruptible(),
            local_stack(
                api=chosen.api,
                wait_scale=scale,
                provider_settings=settings,
                parameters=chosen.parameters,
                announce=announce,
            ) as stack,
            exported(stack),
        ):
            print(describe(stack), flush=True)
            signal.pause()
    except Misuse as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ProcessFailed as error:
        sys.stderr.write(f"The local stack failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
