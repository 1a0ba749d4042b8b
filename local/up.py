"""`make local`: leave the local stack up until Ctrl-C, and say what to type meanwhile."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time

from local.demo import REAL_SCALE, SIMULATED_SCALE, Misuse, choices
from local.process import ProcessFailed, interruptible
from local.stack import Stack, local_stack

PROVIDER_SECONDS = 10.0  # until a batch of the simulated provider ends

# The endpoint once more for SQS: version 1 of the AWS CLI does not take it from the environment there.
COMMANDS = """
The stack is up until Ctrl-C. In another terminal, for the real AWS CLI to talk to it and to nothing else:

{exports}

Drop a file:
    aws s3 cp samples/humaneval-164.jsonl s3://{bucket}/inbox/
See its run (its state is RUNNING, then SUCCEEDED):
    aws stepfunctions list-executions --state-machine-arn {machine} --query 'executions[].[name,status]' --output text
Read the message, once it is there:
    aws --endpoint-url $AWS_ENDPOINT_URL sqs receive-message --queue-url {queue} --query 'Messages[].Body' |
      python3 -c 'import json, sys; [print(json.loads(body)["Message"]) for body in json.load(sys.stdin) or ()]'
List what came back, and read it:
    aws s3 ls --recursive s3://{bucket}/results/
    aws s3 ls --recursive s3://{bucket}/failures/
    aws s3 cp --recursive s3://{bucket}/results/ .demo/results/

No aws command? python3.13 -m venv .venv/cli && .venv/cli/bin/pip install awscli, then type .venv/cli/bin/aws."""

SIMULATED = """
The simulated provider takes {seconds:g} s. Make every tenth request of all later drops fail, and see it:
    curl -X PUT {url}/_provider/settings -d '{{"every": {{"10": "errored:overloaded_error"}}}}'
    aws s3 cp samples/humaneval-164.jsonl s3://{bucket}/inbox/failing.jsonl
Let batches take a quarter of an hour, to stop a run meanwhile, say; then end them all:
    curl -X PUT {url}/_provider/settings -d '{{"seconds": 900}}'
    curl -X PUT {url}/_provider/settings -d '{{"seconds": 0}}'"""


def describe(stack: Stack) -> str:
    """Word the commands for a stack."""
    exports = "\n".join(
        ["    unset AWS_PROFILE", *(f"    export {name}={shlex.quote(value)}" for name, value in stack.aws.env.items())]
    )
    words = COMMANDS.format(
        exports=exports,
        bucket=stack.bucket,
        machine=stack.outputs["StateMachineArn"],
        queue=stack.queue_url,
    )
    return words + (
        SIMULATED.format(seconds=PROVIDER_SECONDS, url=stack.provider.url, bucket=stack.bucket)
        if stack.provider
        else ""
    )


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
