"""Cold start, from a new process to a ready handler: the interpreter, its imports, and the first client.

Measured in CPU time, which is most of a cold start and depends less on other load of the machine.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from bench import PROJECT
from bench.figures import Figure, interleaved

TIMES = 15
_CLIENT = "boto3.client('s3', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')"
BOTO3 = f"import boto3; {_CLIENT}"
SDK = f"{BOTO3}; import anthropic; anthropic.Anthropic(api_key='x')"
HANDLER = "import app; app.clients.bucket"
FUNCTIONS = ("submit", "poll", "split", "report")


def figures() -> Iterator[Figure]:
    """Measure each function against boto3 with one client, and against a handler that uses the vendor's SDK."""
    programs = {"boto3": _program(BOTO3), "sdk": _program(SDK)}
    programs |= {name: _program(HANDLER, f"{PROJECT}/functions/{name}:{PROJECT}/layers/conveyor") for name in FUNCTIONS}
    for program in programs.values():
        program()  # compiles its imports
    rounds = interleaved(programs, TIMES)
    for name in FUNCTIONS:
        for rival in ("boto3", "sdk"):
            own, theirs = rounds.pair(name, rival)
            yield Figure(f"coldstart.{name}.vs_{rival}", round(own, 3), "s", f"{theirs:.3f} s", own / theirs)


def _program(code: str, path: str = "") -> Callable[[], float]:
    program = f"import time; {code}; print(time.process_time())"
    names = {"AWS_DEFAULT_REGION": "us-east-1", "CONVEYOR_BUCKET": "bench", "POWERTOOLS_SERVICE_NAME": "bench"}
    env = os.environ | names | {"PYTHONPATH": path, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}

    def seconds() -> float:
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True)
        return float(done.stdout)

    return seconds
