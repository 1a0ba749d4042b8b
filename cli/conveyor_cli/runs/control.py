"""What people have written about a run, under `control/`."""

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import Bucket
from conveyor_cli.aws.errors import explained
from conveyor_cli.trouble import Trouble


def is_answered(bucket: Bucket, run: Run, gate: int) -> bool:
    """Tell whether a person has said something about a gate, or stopped the run; False also for who may not list it."""
    answers = {keys.approval_name(gate), keys.STOP}
    prefixes = keys.controls(run.run, run.project)
    return any(key.removeprefix(prefix) in answers for prefix in prefixes for key in listed(bucket, prefix))


def listed(bucket: Bucket, prefix: str, after: str = "") -> list[str]:
    """List control objects, as far as a person may."""
    try:
        with explained():
            return bucket.list(prefix, after)
    except Trouble as trouble:
        if trouble.code != "not-allowed":
            raise
        return []
