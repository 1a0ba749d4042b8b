"""Cold start, from a new process to a ready handler: the interpreter, its imports, and the first client.

Measured in CPU time, which is most of a cold start and depends less on other load of the machine.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import PROJECT
from bench.figures import Figure, interleaved
from tests.support.page_samples.samples import SAMPLES

TIMES = 15
_CLIENT = "boto3.client('s3', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')"
BOTO3 = f"import boto3; {_CLIENT}"
SDK = f"{BOTO3}; import anthropic; anthropic.Anthropic(api_key='x')"
HANDLER = "import app; app.clients.bucket"
FUNCTIONS = ("submit", "poll", "split", "report")
PAGE = f"""{HANDLER}
from pathlib import Path
import msgspec
from conveyor.page.page import page_of
from conveyor.receipt.receipt import Receipt
page_of(msgspec.json.decode(Path(r'{{path}}').read_bytes(), type=Receipt))"""
"""The function report that writes its first page, for the receipt of a file."""


def figures() -> Iterator[Figure]:
    """Measure each function against boto3 with one client, and against a handler that uses the vendor's SDK.

    And `report` with its first page against `poll`.
    """
    with TemporaryDirectory() as folder:
        receipt = Path(folder) / "receipt.json"
        receipt.write_bytes(msgspec.json.encode(SAMPLES["failures"]))
        yield from _figures(receipt)


def _figures(receipt: Path) -> Iterator[Figure]:
    programs = {"boto3": _program(BOTO3), "sdk": _program(SDK)}
    programs |= {name: _program(HANDLER, f"{PROJECT}/functions/{name}:{PROJECT}/layers/conveyor") for name in FUNCTIONS}
    programs["page"] = _program(PAGE.format(path=receipt), f"{PROJECT}/functions/report:{PROJECT}/layers/conveyor")
    for program in programs.values():
        program()  # compiles its imports
    rounds = interleaved(programs, TIMES)
    for name in FUNCTIONS:
        for rival in ("boto3", "sdk"):
            own, theirs = rounds.pair(name, rival)
            yield Figure(f"coldstart.{name}.vs_{rival}", round(own, 3), "s", f"{theirs:.3f} s", own / theirs)
    own, theirs = rounds.pair("page", "poll")
    yield Figure("coldstart.page.vs_poll", round(own, 3), "s", f"{theirs:.3f} s", own / theirs)


def _program(code: str, path: str = "") -> Callable[[], float]:
    program = f"import time\n{code}\nprint(time.process_time())"
    names = {"AWS_DEFAULT_REGION": "us-east-1", "CONVEYOR_BUCKET": "bench", "POWERTOOLS_SERVICE_NAME": "bench"}
    env = os.environ | names | {"PYTHONPATH": path, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}

    def seconds() -> float:
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True)
        return float(done.stdout)

    return seconds
