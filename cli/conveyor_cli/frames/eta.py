"""When a run will have ended, by the batches that have. Pure."""

from datetime import datetime

from conveyor.domain.schedule import BatchName
from conveyor_cli.runs.facts import Facts


def eta_of(facts: Facts) -> datetime | None:
    """Return when the batches of the drop will have ended if it goes on as fast as until now; None before one has.

    The rate is that of the requests whose results are written, since the first batch was sent. Rounds are not in it.
    """
    if facts.plan is None:
        return None
    of_drop = {batch.number: batch.requests for batch in facts.plan.batches}
    state = facts.run_state.of_leg("")
    done = [number for number, batch in state.batches.items() if batch.parted and of_drop.get(number)]
    ended = [tally.at for name, tally in facts.tallies.items() if not name.leg and tally.at and name.number in done]
    began = facts.sent.get(BatchName("", 1))
    requests = sum(of_drop[number] for number in done)
    if not ended or not requests or began is None:
        return None
    seconds = (max(ended) - began.at) / requests
    return max(max(ended) + seconds * (sum(of_drop.values()) - requests), facts.at)
