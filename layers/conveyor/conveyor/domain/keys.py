"""Every key of the bucket except those of facts, which their classes name (`ledger/fact.py`).

The layout of the bucket: "The ledger" in docs/how-it-works.md.
"""

import re

INBOX = "inbox/"
CONTENT = "content/"
"""Prompts, answers and the provider's words: a person who may read facts need not be allowed to read these."""
RUNS = "runs/"
CONFIG = "config/"
"""What an administrator writes for all runs."""
INDEX = "index/"
"""Which runs have begun, and how they have ended, by project and day: all of it is in the keys."""
BUDGETS = f"{CONFIG}budgets.json"
PRICES = f"{CONFIG}prices.json"
DEFAULT_PROJECT = "default"
"""The project of all drops that belong to no other."""
PROJECT_RULE = "letters, digits, dots, hyphens and underscores, 64 at most, beginning with a letter or digit"
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}", re.ASCII)


PROBE = "probe"
"""The leg of the lines that are answered before the rest of a drop is sent."""
_ROUND = re.compile(r"round-([1-9]\d*)")
_EARLY_PART = re.compile(r"-[1-9]\d*(?=\.jsonl\Z)")


def is_project_name(name: str) -> bool:
    """Tell whether a name can be a project's: it is one segment of keys, and of resources in IAM policies.

    An id of a run is no name: `control/<run>/` is that run's.
    """
    return _PROJECT.fullmatch(name) is not None and _RUN_ID.fullmatch(name) is None


def round_leg(number: int) -> str:
    """Return the name of the leg of a round, which sends lines again."""
    return f"round-{number}"


def round_number(leg: str) -> int:
    """Return which round a leg is; 0 if it is none."""
    match = _ROUND.fullmatch(leg)
    return int(match[1]) if match else 0


def is_leg(name: str) -> bool:
    """Tell whether this is the name of a leg: a small drop inside a run. The drop itself has no name."""
    return name == PROBE or round_number(name) > 0


def leg_id(run: str, leg: str) -> str:
    """Return the id under which a leg of a run sends its batches: no two legs can be taken for each other."""
    return f"{run}/{leg}" if leg else run


def ledger(run: str) -> str:
    """Return the prefix of all facts of a run."""
    return f"{RUNS}{run}/"


def batch(run: str, batch: int | str) -> str:
    """Return the prefix of all facts of one batch. `run`: of a run, or of a leg (`leg_id`)."""
    return f"{RUNS}{run}/batches/{batch}/"


def plan(run: str) -> str:
    """Return the key of the plan: the batches that a drop is cut into."""
    return f"{RUNS}{run}/plan.jsonl"


def content(run: str, project: str) -> str:
    """Return the prefix of all objects of a run that are no facts, and are not the user's files."""
    return f"{CONTENT}{project}/{run}/"


def leg_content(content: str, leg: str) -> str:
    """Return the same prefix for one leg of a run. `content`: the run's prefix."""
    return f"{content}{leg}/" if leg else content


def leg_lines(content: str, leg: str) -> str:
    """Return the key of the lines of a leg. `content`: the run's prefix."""
    return f"{leg_content(content, leg)}lines.jsonl"


def leg_numbers(content: str, leg: str) -> str:
    """Return the key of the numbers that the lines of a round have in the drop, 8 bytes each. `content`: the run's."""
    return f"{leg_content(content, leg)}lines.numbers"


def lines_again(content: str, batch: int) -> str:
    """Return the key of the lines of a batch that the next round sends again. `content`: the prefix of its leg."""
    return f"{content}batches/{batch}/again.jsonl"


def unpacked(content: str) -> str:
    """Return the key of a packed drop's unpacked lines: gzip cannot be read in ranges. `content`: the run's prefix."""
    return f"{content}unpacked.jsonl"


def refusal_words(content: str, batch: int, number: int) -> str:
    """Return the key of the provider's error text, for an attempt that ends the run."""
    return f"{content}batches/{batch}/refused-{number}.txt"


def error_words(content: str, batch: int) -> str:
    """Return the key of examples of the error texts of a batch's failures."""
    return f"{content}batches/{batch}/errors.json"


def claim(batch_id: str) -> str:
    """Return the key that names the run that owns a batch at the provider."""
    return f"claims/batches/{batch_id}"


def claimed_attempt(run: str, batch: int, number: int) -> str:
    """Return the key that names the writer of a paid call. It outlives the ledger."""
    return f"claims/attempts/{run}/{batch}-{number}"


def waiting(window: int) -> str:
    """Return the prefix of the runs that wait for room in the provider's queue, in one window of time."""
    return f"claims/waiting/{window}/"


def spend_day(log: str, day: str) -> str:
    """Return the prefix of the log of one day: what a project has reserved and spent on it."""
    return f"claims/spend/{log}/{day}/"


def spend_claim(log: str, day: str, number: int) -> str:
    """Return the key of a claim in the log of a day. Claims are numbered from 1, and sort by number."""
    return f"{spend_day(log, day)}{number:08}"


def spend_recount(log: str, day: str, number: int) -> str:
    """Return the key of the object that lets one function count a day again. `number`: see `Day.pause_of`."""
    return f"{spend_day(log, day)}recount-{number}"


def spend_told(log: str, day: str, percent: int) -> str:
    """Return the key that names the run whose message says that so much of a day's ceiling is taken."""
    return f"{spend_day(log, day)}reached-{percent}"


def dropped(content: str, number: int) -> str:
    """Return the key that names the n-th run with the same content under the same key."""
    return f"claims/drops/{content}/{number}"


def day_of(run: str) -> str:
    """Return the UTC day on which the id of a run begins, as `2026-11-30`."""
    return f"{run[:4]}-{run[4:6]}-{run[6:8]}"


def index_entry(project: str, run: str, summary: str) -> str:
    """Return the key of an empty object that says how a run stands. `summary`: see `spend.index_entry`."""
    return f"{INDEX}{project}/{day_of(run)}/{run}~{summary}"


def index_month(project: str, month: str) -> str:
    """Return the prefix of the entries of a project in a month. `month`: as `2026-11`."""
    return f"{INDEX}{project}/{month}-"


STOP = "cancel"
"""The object that stops a run. Its content is ignored."""


PAUSE = "pause"
"""The object that closes a gate before the next batch. Its content is ignored."""


ERASED = "erased"
"""The object by which an administrator says that all but the facts of a run was deleted. Runs do not read it."""


def approval_name(gate: int) -> str:
    """Return the name of the object in which a person opens a gate."""
    return f"approve-{gate}"


def release_name(batch: int, number: int, leg: str = "") -> str:
    """Return the name of the object in which a person says whether an attempt created a batch."""
    return leg_content("", leg) + f"batches/{batch}/attempt-{number}"


def controls(run: str, project: str) -> tuple[str, str]:
    """Return the prefixes of the objects by which a person controls a run: IAM can grant the second by project."""
    return f"control/{run}/", f"control/{project}/{run}/"


def control(run: str, project: str = DEFAULT_PROJECT) -> str:
    """Return the prefix that messages name: that of the project, which more people may write to, if it has one."""
    of_run, of_project = controls(run, project)
    return of_run if project == DEFAULT_PROJECT else of_project


def stop(run: str, project: str = DEFAULT_PROJECT) -> str:
    """Return the key of the object that stops a run, as messages name it."""
    return f"{control(run, project)}{STOP}"


def approval(run: str, gate: int, project: str = DEFAULT_PROJECT) -> str:
    """Return the key of a person's approval, as messages name it."""
    return f"{control(run, project)}{approval_name(gate)}"


def release(run: str, batch: int, number: int, project: str = DEFAULT_PROJECT, leg: str = "") -> str:
    """Return the key of a person's decision about an attempt, as messages name it."""
    return f"{control(run, project)}{release_name(batch, number, leg)}"


RESULTS, FAILURES, RETRY, ASIDE = "results.jsonl", "failures.jsonl", "retry.jsonl", "aside.jsonl"


def output(name: str, run: str, file: str) -> str:
    """Return the key of one of the user's four files."""
    return {RESULTS: results, FAILURES: failures, RETRY: retry, ASIDE: aside}[file](name, run)


def output_part(content: str, batch: int, file: str) -> str:
    """Return the key of one batch's part of such a file, for a run of several batches. `content`: the run's prefix."""
    return f"{content}batches/{batch}/{file}"


def early_part(name: str, run: str, batch: int, file: str) -> str:
    """Return the key of one batch's part of results or failures, which people can read before the run ends.

    It ends like no final file, so that a rule about those does not see it.
    """
    kind, dot, suffix = file.partition(".")
    return f"{early_parts(name, run)}{kind}-{batch}{dot}{suffix}"


def early_parts(name: str, run: str) -> str:
    """Return the prefix of these parts."""
    return f"results/{name}/{run}/parts/"


def file_of(key: str) -> str:
    """Return which of the user's four files an object is, or is a part of."""
    return _EARLY_PART.sub("", key.rpartition("/")[2])


def merged_content(content: str) -> str:
    """Return the prefix of parts that are written once more, with what rounds have changed. `content`: the run's."""
    return f"{content}merged/"


def line_index(content: str, batch: int) -> str:
    """Return the key of what says where each line is in the parts of a leg's batch. `content`: the leg's prefix."""
    return f"{content}batches/{batch}/lines.index"


def results(name: str, run: str) -> str:
    """Return the key of the requests that succeeded."""
    return f"results/{name}/{run}/{RESULTS}"


def outputs(name: str, run: str) -> tuple[str, str]:
    """Return the prefixes of all files that a run leaves for people."""
    return f"results/{name}/{run}/", f"failures/{name}/{run}/"


def receipt(name: str, run: str) -> str:
    """Return the key of the receipt."""
    return f"results/{name}/{run}/receipt.json"


def report(name: str, run: str) -> str:
    """Return the key of the page that shows the receipt."""
    return f"results/{name}/{run}/report.html"


def failures(name: str, run: str) -> str:
    """Return the key of the requests that did not succeed."""
    return f"failures/{name}/{run}/{FAILURES}"


def retry(name: str, run: str) -> str:
    """Return the key of the original lines worth sending again."""
    return f"failures/{name}/{run}/{RETRY}"


def aside(name: str, run: str) -> str:
    """Return the key of the provider's result lines that could not be delivered unchanged."""
    return f"failures/{name}/{run}/{ASIDE}"


def invalid(name: str, run: str) -> str:
    """Return the key of the faults found in a drop."""
    return f"failures/{name}/{run}/invalid.jsonl"
