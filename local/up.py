"""`make local`: keep the local stack up until Ctrl-C, and print the commands to use it."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.choices import InvalidChoice, read_choices
from local.paths import EXPORTS, SAMPLE
from local.process import ProcessFailed, interruptible
from local.stack.messages import COMMAND, TYPED_HERE
from local.stack.start import local_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

PROVIDER_SECONDS = 10.0  # until a simulated batch ends

# The content of the file to source: it makes the real AWS CLI use the local AWS only.
# The endpoint is also an option, because not every version of the AWS CLI reads it from the environment.
SHELL_FILE = """unset AWS_PROFILE
{exports}
aws() {{
  command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
}}
next_message() {{
  set -- "$(aws sqs receive-message --queue-url {queue} \\
    --query 'Messages[0]' --output json)"
  case $1 in ''|null) echo 'No message yet.' >&2; return 1 ;; esac
  printf '%s\\n' "$1" | {python} -c '
import json, re, sys
message = json.loads(json.load(sys.stdin)["Body"])
text = re.sub(r"(?m){command}", r"{typed_here}", message["Message"])
print(message.get("Subject", ""), text, sep="\\n\\n")' || return
  aws sqs delete-message --queue-url {queue} --receipt-handle "$(
    printf '%s\\n' "$1" | {python} -c 'import json, sys; print(json.load(sys.stdin)["ReceiptHandle"])')"
}}
"""

COMMANDS = """
The stack is up until Ctrl-C. In another terminal, in this folder, with the command conveyor (make command installs it):
    conveyor drop {sample} --watch --local
    conveyor fetch {name} --local --to .demo/{name}
    conveyor report {name} --local --open

Or make the real AWS CLI use the stack, and nothing else:
    . {file}

Drop a file:
    aws s3 cp {sample} s3://{bucket}/inbox/
Show its run (the status is RUNNING, then SUCCEEDED):
    aws stepfunctions list-executions --state-machine-arn {machine} --query 'executions[].[name,status]' --output text
Show the next message, and remove it from the queue:
    next_message
List the results and failures, and download the results:
    aws s3 ls --recursive s3://{bucket}/results/
    aws s3 ls --recursive s3://{bucket}/failures/
    aws s3 cp --recursive s3://{bucket}/results/ .demo/results/

No aws command? Install AWS CLI version 2; version 1 lacks an option that the commands in messages use."""

SIMULATED = """
A simulated batch takes {seconds:g} s. Make every tenth request of all later drops fail:
    curl -X PUT {url}/_provider/settings -d '{{"every": {{"10": "errored:overloaded_error"}}}}'
    aws s3 cp {sample} s3://{bucket}/inbox/failing.jsonl
Let batches take 15 minutes, for example to stop a run meanwhile; then end them all:
    curl -X PUT {url}/_provider/settings -d '{{"seconds": 900}}'
    curl -X PUT {url}/_provider/settings -d '{{"seconds": 0}}'"""


def exports(stack: Stack) -> str:
    """Return the content of the file to source."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in stack.aws.env.items()]
    python = shlex.quote(sys.executable)
    queue = shlex.quote(stack.queue_url)
    return SHELL_FILE.format(
        exports="\n".join(lines), queue=queue, python=python, command=COMMAND, typed_here=TYPED_HERE
    )


def describe(stack: Stack) -> str:
    """Return the commands to use a stack."""
    commands = COMMANDS + (SIMULATED if stack.provider else "")
    return commands.format(
        file=shlex.quote(str(EXPORTS)),
        sample=shlex.quote(str(SAMPLE)),
        name=SAMPLE.stem,
        bucket=stack.bucket,
        machine=stack.outputs["StateMachineArn"],
        seconds=PROVIDER_SECONDS,
        url=stack.provider.url if stack.provider else "",
    )


@contextmanager
def exported(stack: Stack) -> Iterator[None]:
    """Keep the file to source for the length of the block, unless another local stack replaces it meanwhile."""
    text = exports(stack)
    EXPORTS.parent.mkdir(exist_ok=True)
    EXPORTS.write_text(text)
    try:
        yield
    finally:
        if EXPORTS.exists() and EXPORTS.read_text() == text:
            EXPORTS.unlink()


def lost_with(stack: Stack, *, is_remote: bool) -> str:
    """Return what is lost at the end: all runs are in the stack's bucket. Empty if there are none."""
    runs = set(stack.runs())
    ended = {key.split("/")[-2] for key in stack.keys("results/") if key.endswith("/receipt.json")}
    if not runs:
        return ""
    going = len(runs - ended)
    words = f" Its data is gone: {len(runs):,} {'run' if len(runs) == 1 else 'runs'}, {going:,} still under way."
    charged = " Batches that were sent go on at the provider, and may be charged." if is_remote and going else ""
    return words + charged


def _until_signal(stack: Stack, *, is_remote: bool) -> str:
    """Wait for a signal; return what is lost then, if the stack can still say it."""
    with suppress(KeyboardInterrupt):
        signal.pause()
    with suppress(BotoCoreError, ClientError):
        return lost_with(stack, is_remote=is_remote)
    return ""


def main() -> int:
    """Run the stack until a signal; returns the exit code."""
    start, lost = time.monotonic(), ""

    def announce(step: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {step}", flush=True)

    try:
        choices = read_choices(os.environ)
        with (
            interruptible(),
            local_stack(
                api=choices.api,
                wait_scale=choices.wait_scale,
                provider_settings={"seconds": PROVIDER_SECONDS},
                parameters=choices.parameters,
                announce=announce,
            ) as stack,
            exported(stack),
        ):
            print(describe(stack), flush=True)
            lost = _until_signal(stack, is_remote=choices.is_remote)
    except InvalidChoice as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ProcessFailed as error:
        sys.stderr.write(f"The local stack failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        pass  # before the stack was up
    print(f"\nStopped; everything is shut down.{lost}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
