"""Every key of the bucket, in one place. Layout: "The ledger" in `docs/how-it-works.md`."""

INBOX = "inbox/"
RUNS = "runs/"


def ledger(run: str) -> str:
    """Return the prefix under which all facts of a run lie."""
    return f"{RUNS}{run}/"


def batch(run: str, batch: int | str) -> str:
    """Return the prefix under which all facts of one batch of a run lie."""
    return f"{RUNS}{run}/batches/{batch}/"


def plan(run: str) -> str:
    """Return the key of the batches a drop is cut into."""
    return f"{RUNS}{run}/plan.jsonl"


def unpacked(run: str) -> str:
    """Return the key of a packed drop's lines: gzip cannot be read by ranges."""
    return f"{RUNS}{run}/unpacked.jsonl"


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
