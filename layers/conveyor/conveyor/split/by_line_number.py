"""Spooled results of a drop that cannot be read any more are written under line numbers: the ids were only in the drop.

Line numbers are known from the ids under which requests were sent. If the batch had blank lines, the line numbers of
requests without a result are unknown. Nothing here grows with the number of blank lines. Lines of the probe are in a
file of their own, and so have ids, and can be sent again.
"""

from conveyor.domain.outcome import Result
from conveyor.split.collector import Collector
from conveyor.split.job import SplitJob
from conveyor.split.outputs import MOST_UNACCOUNTED, NO_ID, Written, open_outputs
from conveyor.split.spool import Spool


def write_by_line_number(job: SplitJob, collector: Collector, spool: Spool, default: Result) -> Written:
    """Write all outcomes in the order of line numbers. `default`: the outcome of requests without a result."""
    skipped = {line.line: line for line in job.batch.skipped}
    unsent, probed = job.batch.unsent_lines, job.probed_outputs()
    answered = [line for line in sorted(spool) if line not in unsent]
    requests = answered if job.has_unknown_lines else list(job.request_lines())
    with open_outputs(job, collector.tally.failures, has_again=False) as outputs:
        for line in sorted({*requests, *unsent}):
            if line in skipped:
                collector.write_skipped(skipped[line], outputs)
            elif line in unsent:
                outputs.add_from_leg(*probed.find(line))
            else:
                output = spool.find(line) or collector.output_of(default, line)
                outputs.add(NO_ID, output, job.drop_line(line), shows_line=True)
        for _ in range(job.batch.requests - len(requests)):
            outputs.add(NO_ID, collector.output_of(default, None), None)
        outputs.add_retries(probed.retries(), ())
        outputs.set_aside(spool.lines_aside())
    unaccounted = [] if len(answered) == len(spool) else sorted(line for line in spool if line in unsent)
    return Written(
        outputs.files,
        ordered=True,
        unaccounted=unaccounted[:MOST_UNACCOUNTED],
        tally=collector.tally,
        answers=collector.answers,
    )
