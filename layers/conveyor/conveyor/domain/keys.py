"""Every key of the bucket, in one place. Words and layout: see "The bucket" in README.md."""

from datetime import UTC, datetime

INBOX = "inbox/"
RUNS = "runs/"


def ledger(run: str) -> str:
    """Return the prefix under which all facts of a run lie."""
    return f"{RUNS}{run}/"


def run(run: str) -> str:
    """Return the key of the drop and the settings in force."""
    return f"{RUNS}{run}/run.json"


def rest(run: str, until: datetime) -> str:
    """Return the key that says that the provider is not asked before a moment, in whole seconds."""
    return f"{RUNS}{run}/rests/{until.astimezone(UTC).strftime(REST)}"


REST = "%Y%m%dT%H%M%SZ.json"
"""Form of that moment, which is read from the key."""


def validation(run: str) -> str:
    """Return the key that says who validates, and until when."""
    return f"{RUNS}{run}/validation.json"


def refused(run: str) -> str:
    """Return the key that says why nothing (more) of the drop is sent."""
    return f"{RUNS}{run}/refused.json"


def plan(run: str) -> str:
    """Return the key of the batches a drop is cut into."""
    return f"{RUNS}{run}/plan.jsonl"


def unpacked(run: str) -> str:
    """Return the key of a packed drop's lines: gzip cannot be read by ranges."""
    return f"{RUNS}{run}/unpacked.jsonl"


def attempt(run: str, batch: int, number: int) -> str:
    """Return the key of the intent to pay, written before the paid call."""
    return f"{RUNS}{run}/batches/{batch}/attempt-{number}.json"


def attempt_refused(run: str, batch: int, number: int) -> str:
    """Return the key that says the provider surely did not take an attempt."""
    return f"{RUNS}{run}/batches/{batch}/refused-{number}.json"


def attempt_unknown(run: str, batch: int, number: int) -> str:
    """Return the key that says an attempt is over, and its answer lost or proving nothing."""
    return f"{RUNS}{run}/batches/{batch}/unknown-{number}.json"


def attempt_absent(run: str, batch: int, number: int) -> str:
    """Return the key that says an attempt whose outcome was unknown created no batch."""
    return f"{RUNS}{run}/batches/{batch}/absent-{number}.json"


def attempt_failed(run: str, batch: int, number: int) -> str:
    """Return the key that says the provider took an attempt, and then ran nothing of it: it may be made again."""
    return f"{RUNS}{run}/batches/{batch}/failed-{number}.json"


def batch(run: str, batch: int, take: int) -> str:
    """Return the key of the provider's batch id. `take`: 1, and one more after each batch that failed unrun."""
    return f"{RUNS}{run}/batches/{batch}/batch-{take}.json"


def discarded(run: str, batch: int) -> str:
    """Return the key that says what was kept at the provider for a batch is deleted there."""
    return f"{RUNS}{run}/batches/{batch}/discarded.json"


def duplicate(run: str, batch: int, batch_id: str) -> str:
    """Return the key that names a second batch of ours at the provider, which was cancelled."""
    return f"{RUNS}{run}/batches/{batch}/duplicate-{batch_id}.json"


def foreign(run: str, batch: int, batch_id: str) -> str:
    """Return the key that names a batch at the provider that was taken for ours and is another's."""
    return f"{RUNS}{run}/batches/{batch}/foreign-{batch_id}.json"


def cancel(run: str, batch: int) -> str:
    """Return the key that says since when a batch is being cancelled."""
    return f"{RUNS}{run}/batches/{batch}/cancel.json"


def splitting(run: str, batch: int, number: int) -> str:
    """Return the key that says who splits a batch, and until when."""
    return f"{RUNS}{run}/batches/{batch}/split-{number}.json"


def unread(run: str, batch: int, number: int) -> str:
    """Return the key that says a split came to nothing."""
    return f"{RUNS}{run}/batches/{batch}/unread-{number}.json"


def stuck(run: str, batch: int) -> str:
    """Return the key that says why a batch is given up without its results."""
    return f"{RUNS}{run}/batches/{batch}/stuck.json"


def read(run: str, batch: int, number: int) -> str:
    """Return the key of one complete read of results that lacked lines."""
    return f"{RUNS}{run}/batches/{batch}/read-{number}.json"


def part(run: str, batch: int) -> str:
    """Return the key of split's account of a batch."""
    return f"{RUNS}{run}/batches/{batch}/part.json"


def claim(batch_id: str) -> str:
    """Return the key that says which run owns one of the provider's batches."""
    return f"claims/batches/{batch_id}"


def claimed_attempt(run: str, batch: int, number: int) -> str:
    """Return the key that says who makes a paid call; it lies outside the ledger, and outlives the loss of it."""
    return f"claims/attempts/{run}/{batch}-{number}"


def waiting(window: int) -> str:
    """Return the prefix of the runs that wait for room in the provider's queue, in one stretch of time."""
    return f"claims/waiting/{window}/"


def dropped(content: str, number: int) -> str:
    """Return the key that names the n-th run that had some bytes under some key."""
    return f"claims/drops/{content}/{number}"


def control(run: str) -> str:
    """Return the prefix under which a person tells a run what to do."""
    return f"control/{run}/"


def stop(run: str) -> str:
    """Return the key that stops a run, whatever it holds."""
    return f"{control(run)}cancel"


def release(run: str, batch: int, number: int) -> str:
    """Return the key that says what became of an attempt, where a person knows better."""
    return f"{control(run)}batches/{batch}/attempt-{number}"


RESULTS, FAILURES, RETRY, ASIDE = "results.jsonl", "failures.jsonl", "retry.jsonl", "aside.jsonl"


def output(name: str, run: str, file: str) -> str:
    """Return the key of one of the user's four files."""
    return {RESULTS: results, FAILURES: failures, RETRY: retry, ASIDE: aside}[file](name, run)


def output_part(run: str, batch: int, file: str) -> str:
    """Return the key of the part of one of them that one of several batches makes."""
    return f"{RUNS}{run}/batches/{batch}/{file}"


def results(name: str, run: str) -> str:
    """Return the key of the requests that succeeded."""
    return f"results/{name}/{run}/{RESULTS}"


def receipt(name: str, run: str) -> str:
    """Return the key of the run's final account."""
    return f"results/{name}/{run}/receipt.json"


def failures(name: str, run: str) -> str:
    """Return the key of the requests that did not succeed."""
    return f"failures/{name}/{run}/{FAILURES}"


def retry(name: str, run: str) -> str:
    """Return the key of the original lines worth sending again."""
    return f"failures/{name}/{run}/{RETRY}"


def aside(name: str, run: str) -> str:
    """Return the key of the provider's result lines that could not be delivered as they came."""
    return f"failures/{name}/{run}/{ASIDE}"


def invalid(name: str, run: str) -> str:
    """Return the key of the faults found in a drop."""
    return f"failures/{name}/{run}/invalid.jsonl"
