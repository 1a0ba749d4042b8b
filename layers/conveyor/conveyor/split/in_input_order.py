"""Spooled results are written in step with the lines of the drop, under the user's ids."""

from conveyor.domain.outcome import OutputKind, Result, is_worth_a_round
from conveyor.split.collector import Collector
from conveyor.split.job import SplitJob
from conveyor.split.outputs import MOST_UNACCOUNTED, Written, open_outputs
from conveyor.split.spool import Spool


def write_in_input_order(job: SplitJob, collector: Collector, spool: Spool, default: Result) -> Written:
    """Write all outcomes in the order of the drop. `default`: the outcome of requests without a result."""
    skipped = {line.line: line for line in job.batch.skipped}
    found, probed = 0, job.probed_outputs()
    may_have_again = spool.has_again or probed.has_again or is_worth_a_round(default.outcome, default.error)
    with open_outputs(job, collector.tally.failures, has_again=job.keeps_lines and may_have_again) as outputs:
        for values in job.custom_ids_and_kept_keys():
            retries, again = set[int](), set[int]()
            for line, custom_id in values.numbered():
                if custom_id is None and line in skipped:
                    collector.write_skipped(skipped[line], outputs)
                    continue
                if custom_id is None:
                    place, written = probed.find(line)
                    outputs.add_from_leg(place, written)
                    kind = place.kind
                else:
                    output = spool.find(line)
                    found += output is not None
                    output = output or collector.output_of(default, line)
                    outputs.add(custom_id, output, job.drop_line(line), values.kept.get(line, b""))
                    kind = output.kind
                if kind.is_retryable:
                    retries.add(line)
                    if kind is OutputKind.AGAIN and job.keeps_lines:
                        again.add(line)
            outputs.add_retries(values.lines(retries), again)
        outputs.set_aside(spool.lines_aside())
    unaccounted = [] if found == len(spool) else _unaccounted(job, spool)
    return Written(
        outputs.files,
        ordered=True,
        unaccounted=unaccounted,
        tally=collector.tally,
        answers=collector.answers,
        again=outputs.again,
    )


def _unaccounted(job: SplitJob, spool: Spool) -> list[int]:
    requests = {*job.request_lines()}
    return sorted(line for line in spool if line not in requests)[:MOST_UNACCOUNTED]
