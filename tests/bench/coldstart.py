"""From a fresh process to a handler that can serve: the interpreter, its imports, and the first client it needs.

In processor time, since that is what a cold start is made of, and what else the machine does then matters less.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure, median

PROJECT = Path(__file__).parents[2]
TIMES = 9
_CLIENT = "boto3.client('s3', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')"
BOTO3 = f"import boto3; {_CLIENT}"
SDK = f"{BOTO3}; import anthropic; anthropic.Anthropic(api_key='x')"
HANDLER = "import app; app.clients.storage"
FUNCTIONS = ("submit", "poll", "split", "report")


def figures() -> Iterator[Figure]:
    """Measure each function against boto3 with one client, and against a handler that uses the vendor's SDK."""
    boto3, sdk = _seconds(BOTO3), _seconds(SDK)
    for name in FUNCTIONS:
        own = _seconds(HANDLER, f"{PROJECT}/functions/{name}:{PROJECT}/layers/conveyor")
        yield Figure(f"coldstart.{name}.vs_boto3", round(own, 3), "s", f"{boto3:.3f} s", own / boto3)
        yield Figure(f"coldstart.{name}.vs_sdk", round(own, 3), "s", f"{sdk:.3f} s", own / sdk)


def _seconds(code: str, path: str = "") -> float:
    program = f"import time; {code}; print(time.process_time())"
    names = {"AWS_DEFAULT_REGION": "us-east-1", "CONVEYOR_BUCKET": "bench", "POWERTOOLS_SERVICE_NAME": "bench"}
    env = os.environ | names | {"PYTHONPATH": path, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}

    def once() -> float:
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True)
        return float(done.stdout)

    once()  # writes the compiled files
    return median(once, TIMES)
