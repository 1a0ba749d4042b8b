"""The lines of `results.jsonl`, without a file on this machine."""

from collections.abc import Iterator
from io import BytesIO

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor_cli.exits import Exit
from conveyor_cli.files.checking import Check
from conveyor_cli.files.download import ranges
from conveyor_cli.files.ended import ended_run
from conveyor_cli.files.explain import explained_for
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.trouble import Trouble


def result_lines(stack: ChosenStack, run: Run, file: str = keys.RESULTS) -> Iterator[bytes]:
    """Yield the lines of a file of a run that has ended, each with its line feed; none if it has no such file.

    They are compared with the receipt as they pass. Raises Trouble: before the first line if the run has not ended,
    and after the last one if they do not match.
    """
    with explained_for(run):
        ended = ended_run(stack.bucket, run)
        if ended is None:
            raise Trouble("not-ended", f"{run.name} has not ended", exit_code=Exit.USAGE)
        account = ended.file(file)
        pinned = stack.bucket.pin(account.key) if account else None
        if account and pinned is None:
            raise Trouble("file-gone", f"{file} does not exist in the bucket any more", "It was deleted, or erased.")
        if pinned is None:
            return
        check, held = Check(account), b""
        for data in ranges(stack.bucket, pinned):
            check.feed(data)
            whole, feed, rest = (held + data).rpartition(b"\n")
            held = rest
            yield from BytesIO(whole + feed)
        if check.fault:
            raise Trouble("checksum", f"{file} does not match the receipt ({check.fault})")
