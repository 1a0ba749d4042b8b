"""Erasing a run: what goes, what stays, and what is said when something cannot be deleted."""

import json

from conveyor.domain import keys
from tests.support.belt import Belt, drop_of, request
from tests.support.command import Command
from tests.support.memory_aws.bucket import BucketInMemory
from tests.support.memory_aws.served import Served

NAME = "inbox/support/labels.jsonl"
KEPT = {"runs", "index", "claims", "control"}


def of(aws: Served, belt: Belt) -> BucketInMemory:
    """Return the bucket with all its versions."""
    return aws.memory.s3.buckets[belt.bucket]


def ended(belt: Belt, key: str = NAME, data: bytes = drop_of(3)) -> str:
    """Run a drop to its end."""
    run = belt.upload(data, key)
    assert belt.finish(run)["status"] == "completed"
    return run


def folders(bucket: BucketInMemory) -> set[str]:
    """Return the first folders of all keys that have a version."""
    return {key.partition("/")[0] for key in bucket.versions}


def test_it_shows_what_will_be_deleted_and_asks_for_the_word(desk: Command, belt: Belt, aws: Served) -> None:
    """With counts and bytes of all versions; a key hit by mistake deletes nothing."""
    ended(belt)
    before = {key: len(each) for key, each in of(aws, belt).versions.items()}
    refused = desk.call_in_terminal("erase", "labels", typed="y\n")
    assert refused.exit == 2
    assert {key: len(each) for key, each in of(aws, belt).versions.items()} == before
    ran = desk.call_in_terminal("erase", "labels", typed="erase\n")
    assert ran.exit == 0
    lines = [" ".join(line.split()) for line in ran.plain.splitlines()]
    assert f"drop 1 version, {len(drop_of(3))} B" in lines
    assert "results 3 versions" in "\n".join(lines)
    assert "content 0 versions, 0 B" in lines
    assert lines[-1].startswith("✓ Erased: ")


def test_all_versions_go_and_the_facts_stay(desk: Command, belt: Belt, aws: Served) -> None:
    """Older versions and delete markers, too. The run is then shown as erased."""
    run, bucket = ended(belt), of(aws, belt)
    belt.s3.put_object(Bucket=belt.bucket, Key=keys.results("support/labels", run), Body=b"older")
    belt.s3.delete_object(Bucket=belt.bucket, Key=keys.results("support/labels", run))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"{keys.content(run, 'default')}batches/1/errors.json", Body=b"words")
    belt.s3.delete_object(Bucket=belt.bucket, Key=NAME)
    facts = [key for key in bucket.versions if key.startswith(("runs/", "index/", "claims/"))]
    told = json.loads(desk.call("erase", "labels", "--yes", "--json").out)
    assert (told["run"], told["done"], told["versions"]) == (run, "erase", 9)
    assert folders(bucket) == KEPT
    assert [key for key in bucket.versions if not key.startswith("control/")] == facts
    assert belt.stored("control/") == [f"control/default/{run}/erased"]
    assert json.loads(desk.call("runs", "--json").out)["state"] == "erased"


def test_what_other_runs_dropped_under_the_same_key_stays(desk: Command, belt: Belt, aws: Served) -> None:
    """Each version is the drop of a run of its own, which may go on."""
    first = ended(belt, data=request("a") + b"\n")
    belt.upload(request("b") + b"\n", NAME)
    assert desk.call("erase", first, "--yes").exit == 0
    assert [each.data for each in of(aws, belt).versions[NAME]] == [request("b") + b"\n"]


def test_it_goes_on_where_it_stopped(desk: Command, belt: Belt, aws: Served) -> None:
    """The receipt is deleted last. When nothing is left, it says so."""
    run, bucket = ended(belt), of(aws, belt)
    aws.refuse("DELETE", 503, "SlowDown")
    ran = desk.call("erase", run, "--yes")
    assert ran.exit == 8
    assert "0 of 5 versions are deleted. The same command goes on where it stopped." in ran.error
    assert not belt.stored("control/")
    aws.refusals.clear()
    assert desk.call("erase", run, "--yes").exit == 0
    assert folders(bucket) == KEPT
    ran = desk.call("erase", run, "--yes")
    assert (ran.exit, ran.out) == (0, "✓ Nothing is left of support/labels but its facts\n")


def test_what_cannot_be_deleted_is_told_with_its_reason(desk: Command, belt: Belt, aws: Served) -> None:
    """S3 Object Lock, or a role without that permission. The rest is deleted, and the run is not called erased."""
    run, bucket = ended(belt), of(aws, belt)
    bucket.locked = {keys.results("support/labels", run)}
    ran = desk.call("erase", run, "--yes")
    assert ran.exit == 8
    assert ran.error.startswith("✗ 1 of 5 versions could not be deleted: AccessDenied (1)\n")
    assert f"One of them: {keys.results('support/labels', run)}." in ran.error
    assert folders(bucket) == {"runs", "index", "claims", "results"}
    assert json.loads(desk.call("runs", "--json").out)["state"] == "done"


def test_more_than_a_thousand_versions(desk: Command, belt: Belt, aws: Served) -> None:
    """S3 lists and deletes so many in one request."""
    run, bucket = ended(belt), of(aws, belt)
    for number in range(2001):
        bucket.put(f"{keys.content(run, 'default')}batches/{number}/errors.json", b"{}", {})
    assert desk.call("erase", run, "--yes").exit == 0
    assert folders(bucket) == KEPT
    assert (aws.asked["VERSIONS"], aws.asked["DELETE"]) == (6, 3)


def test_who_may_not_see_versions_deletes_nothing(desk: Command, belt: Belt, aws: Served) -> None:
    """The policy of administrators is needed, and it says so."""
    run = ended(belt)
    aws.refuse("VERSIONS", 403, "AccessDenied")
    ran = desk.call("erase", run, "--yes")
    assert ran.exit == 8
    assert ran.error.startswith("✗ Not allowed: s3:ListBucketVersions\n")
    assert "Erasing needs the policy of administrators." in ran.error
    assert aws.asked["DELETE"] == 0


def test_a_run_that_goes_on_is_not_erased(desk: Command, belt: Belt, aws: Served) -> None:
    """Its results would come back without ids."""
    belt.upload(drop_of(3), NAME)
    ran = desk.call("erase", "labels", "--yes")
    assert ran.exit == 2
    assert ran.error.startswith("✗ support/labels has not ended\n")
    assert "    conveyor stop " in ran.error
    assert aws.asked["VERSIONS"] == 0


def test_without_a_word_nothing_is_deleted(desk: Command, belt: Belt, aws: Served) -> None:
    """A program says --yes."""
    ended(belt)
    assert desk.call("erase", "labels").error.startswith("✗ erase needs a terminal, or --yes\n")
    assert aws.asked["DELETE"] == 0


def test_watch_and_fetch_say_that_a_run_was_erased(desk: Command, belt: Belt) -> None:
    """Not that something failed. How it ended and what it cost is still known."""
    run = ended(belt)
    desk.call("erase", run, "--yes")
    ran = desk.call("fetch", run)
    assert ran.exit == 3
    assert ran.error.startswith("✗ support/labels was erased\n")
    ran = desk.call("watch", run)
    assert ran.exit == 0
    assert "support/labels has ended: done\n" in ran.out
    assert "What was in it was erased." in ran.out
