"""Every command of every message, typed as printed into a real shell, with the local AWS as S3.

The shell uses an interpreter of AWS CLI v2's commands, and AWS CLI v2 itself if it is installed.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from decimal import Decimal
from functools import cache
from inspect import getmembers, isfunction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.drop import is_taken
from conveyor.gates.approval import Approval
from conveyor.gates.release import Adopt, SubmitAgain
from conveyor.ledger.gate_facts import ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.poll.control import Control
from conveyor.s3.bucket import Bucket
from conveyor.wording import commands
from tests.support.examples import RUN
from tests.support.shell import messages
from tests.support.shell.aws import Interpreter
from tests.support.shell.desk import BYTES, EDITED, Desk
from tests.support.shell.terminal import cli_v2, installed, interpreted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack.local_aws import Aws

METADATA = {"on-invalid": "skip", "default-max-tokens": "7", "mtime": "1"}
OWN = {"on-invalid": "skip", "default-max-tokens": "7"}
SUFFIXES = [".jsonl", ".jsonl.gz", ".JSONL", ".jsonl.GZ", ".ndjson", ".json.gz", ".csv", ".jsonl.zip", ""]
KEYS = [
    *(f"inbox/team a/plain{suffix}" for suffix in SUFFIXES),
    'inbox/team a/it\'s "x".csv',
    "inbox/täglich/größe ½ 日本.jsonl",
    "inbox/$HOME/`id`;rm *.csv",
    "inbox/-rf.jsonl",
    "inbox/~/~a=b,c{d}.csv",
    "inbox/100%/\\n\\ %s.jsonl",
    "inbox/team/two\nlines.jsonl",
    "inbox/team/\tred\u202e.csv",
]
AWKWARD = "inbox/team a/it's ½ $x.jsonl"
FROM_THE_FILE = {code for code in messages.REFUSALS if code.startswith("drop-")} | {
    "invalid-lines", "no-requests", "too-large", "too-many-requests", "models-alternate", "not-gzip", "mostly-invalid",
    "file-is-empty",
}  # fmt: skip
"""Codes of drops whose file a person must correct, or upload again."""
KEY = "a-new-key"
CLI = cli_v2()
by_each = pytest.mark.parametrize("desk", ["interpreter", *(["aws"] if CLI else [])], indirect=True)
"""Typed twice if AWS CLI v2 is installed, which takes a second to start: what it might read differently."""


@pytest.fixture(scope="session")  # like the local AWS: tests of other files may come in between
def client(aws: Aws) -> Callable[[str], Any]:
    """Return one client for each service; the stack's secret exists."""
    aws.client("secretsmanager").create_secret(Name=messages.SECRET, SecretString="an-old-key")
    return cache(aws.client)


@pytest.fixture
def desk(request: pytest.FixtureRequest, aws: Aws, client: Callable[[str], Any], tmp_path: Path) -> Iterator[Desk]:
    """Return a terminal and a new bucket."""
    bucket = f"desk-{uuid4().hex[:12]}"
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    interpreter = Interpreter(client)
    with ExitStack() as open_:
        if getattr(request, "param", "interpreter") == "aws":
            terminal = installed(tmp_path / "home", str(CLI), aws.env | {"API_KEY": KEY})
        else:
            terminal = open_.enter_context(interpreted(tmp_path / "home", interpreter, {"API_KEY": KEY}))
        yield Desk(terminal, client, bucket, interpreter)


def folder(key: str) -> str:
    """Return the folder of a key."""
    return key.rpartition("/")[0]


@pytest.mark.parametrize("key", KEYS)
def test_a_drop_is_dropped_again_in_its_own_folder_under_a_name_that_is_taken(desk: Desk, key: str) -> None:
    """For any name, with the drop's settings, and with its own bytes even if the file has been edited."""
    run = desk.drop(key, METADATA)
    (created,) = desk.type(messages.refused(run, "unreadable"))
    assert is_taken(created["Key"])
    assert folder(created["Key"]) == folder(key)
    assert created["Key"].startswith(key)
    assert (created["Body"].read(), created["Metadata"]) == (BYTES, OWN)


@pytest.mark.parametrize("code", messages.REFUSALS)
def test_after_each_refusal_the_drop_comes_again(desk: Desk, code: str) -> None:
    """Either the same bytes, from the bucket, or the file that a person has corrected."""
    run = desk.drop(AWKWARD, METADATA)
    *_, created = desk.type(messages.refused(run, code), "REPLACE" if code not in FROM_THE_FILE else "s3 cp")
    assert created["Key"] == AWKWARD
    assert created["Body"].read() == (EDITED if code in FROM_THE_FILE else BYTES)
    changed = {"seen-before": {"again": "run-1"}, "no-project": {"project": "<project>"}}
    assert created["Metadata"] == OWN | changed.get(code, {})


def test_a_key_that_has_no_room_for_a_suffix_is_cut(desk: Desk) -> None:
    """To the run's name: a key has at most 1,024 bytes."""
    key = f"inbox/{'n/' * 507}x.csv"
    (created,) = desk.type(messages.refused(desk.drop(key), "unreadable"))
    assert is_taken(created["Key"])
    assert key.startswith(created["Key"].removesuffix(".jsonl"))


def test_what_was_made_of_a_wrong_file_is_dropped_in_the_folder_of_the_drop(desk: Desk) -> None:
    """With the drop's settings, and under its own name, which the next message must use."""
    run = desk.drop("inbox/team a/it's.csv", METADATA)
    (desk.terminal.folder / "x").write_bytes(EDITED)
    (made,) = desk.type(messages.converted(run))
    assert (made["Key"], made["Body"].read(), made["Metadata"]) == ("inbox/team a/made.jsonl", EDITED, OWN)


def test_what_a_recipe_made_is_what_is_dropped(desk: Desk) -> None:
    """Not the table."""
    run = desk.drop("inbox/team a/it's.xlsx", METADATA)
    (desk.terminal.folder / "requests.jsonl").write_bytes(EDITED)
    (created,) = desk.type(messages.made_by_recipe(run))
    assert (created["Key"], created["Body"].read(), created["Metadata"]) == ("inbox/team a/requests.jsonl", EDITED, OWN)


def test_a_table_becomes_requests_with_the_command(desk: Desk) -> None:
    """Whatever its name is; what is dropped then are requests."""
    content = b"ticket,text\nt-1,Hello\nt-2,Bye\n"
    run = desk.drop("inbox/team a/it's $x.csv", METADATA, content)
    for name, text in (
        (desk.terminal.folder / "it's $x.csv", content),
        (desk.terminal.folder / "prompt.md", b"{{ text }}"),
    ):
        name.write_bytes(text)
    (created,) = desk.type(messages.made_of_a_table(run, content))
    assert (created["Key"], created["Metadata"]) == ("inbox/team a/requests.jsonl", OWN)
    assert created["Body"].read().count(b'"custom_id":"row-') == 2


def test_misspelt_metadata_is_put_right_and_the_rest_is_kept(desk: Desk) -> None:
    """Ambiguous metadata is left out: it would be refused again. A value of `again` counts once."""
    given = {"skip-invalid": "yes", "Max_Tokens": "9,000", "betas": "a-1,b-2", "agian": "yes", "mtime": "1"}
    (created,) = desk.type(messages.refused(desk.drop(AWKWARD, given), "unreadable"))
    assert created["Metadata"] == {
        "on-invalid": "skip", "default-max-tokens": "9000", "betas": "a-1,b-2", "again": "run-1",
    }  # fmt: skip
    (created,) = desk.type(messages.refused(desk.drop(AWKWARD, {"on-invalid": "?", "max-events": "9"}), "unreadable"))
    assert created["Metadata"] == {}


@by_each
def test_a_drop_of_other_names_goes_to_a_file_of_that_name(desk: Desk) -> None:
    """Also if the file must be corrected."""
    run = desk.drop("inbox/team a/-x y.csv", METADATA)
    (created,) = desk.type(messages.refused(run, "no-requests"))
    assert (created["Key"], created["Body"].read()) == ("inbox/team a/-x y.csv.jsonl", EDITED)


def test_a_key_that_aws_cli_cannot_name_as_a_source_is_dropped_from_the_file(desk: Desk) -> None:
    """It reads `?versionId=` as the start of a version."""
    run = desk.drop("inbox/a?versionId=b.jsonl", METADATA)
    (created,) = desk.type(messages.refused(run, "unsent"))
    assert (created["Key"], created["Body"].read()) == ("inbox/a?versionId=b.jsonl", EDITED)


@by_each
def test_the_other_lines_are_sent_by_a_copy_that_skips(desk: Desk) -> None:
    """With all other settings of the drop."""
    run = desk.drop(AWKWARD, {"default-max-tokens": "7"})
    (created,) = desk.type(messages.refused(run, "invalid-lines"), "on-invalid=skip")
    assert (created["Body"].read(), created["Metadata"]) == (BYTES, {"default-max-tokens": "7", "on-invalid": "skip"})


@by_each
@pytest.mark.parametrize("size", [40, 9_000_000])
def test_lines_worth_sending_again_are_copied_with_their_settings(desk: Desk, size: int) -> None:
    """From 8 MB on, AWS CLI copies in parts, and must copy the metadata itself."""
    run = desk.drop(AWKWARD)
    retry = keys.retry(run.name, run.run)
    desk.s3.put_object(Bucket=desk.bucket, Key=retry, Body=b"x" * size, Metadata=OWN, Tagging="a=b")
    (created,) = desk.type(messages.ended(run, 2, 1), "--copy-props")
    assert (created["Key"], created["Metadata"]) == ("inbox/team a/it's ½ $x-retry.jsonl", OWN)
    assert (created["ContentLength"], created.get("TagCount", 0)) == (size, 0)


@by_each
def test_the_files_of_a_run_are_fetched_one_by_one(desk: Desk) -> None:
    """Into the folder where the commands are typed; a file without a line is not offered."""
    run = desk.drop(AWKWARD)
    for key in (keys.results(run.name, run.run), keys.failures(run.name, run.run), keys.retry(run.name, run.run)):
        desk.s3.put_object(Bucket=desk.bucket, Key=key, Body=key.encode())
    assert desk.type(messages.ended(run, 2, 1), ".jsonl ") != []
    for key in (keys.results(run.name, run.run), keys.failures(run.name, run.run), keys.retry(run.name, run.run)):
        assert (desk.terminal.folder / key.rpartition("/")[2]).read_bytes() == key.encode()
    assert not any("failures.jsonl" in command for command in messages.commands(messages.ended(run, 3, 0)))


@by_each
def test_values_with_commas_are_carried(desk: Desk) -> None:
    """AWS CLI reads `name=a,b` as a list, and refuses it."""
    run = desk.drop(AWKWARD)
    drop = commands.Version(desk.bucket, AWKWARD, run.drop.version, 9)
    given = {"betas": "one-2026-01-01,two.2", "on-invalid": "skip"}
    for command in (commands.drop_version(drop, run.name, given), commands.drop_file(drop, run.name, given)):
        desk.terminal.succeed(command)
        assert desk.s3.head_object(Bucket=desk.bucket, Key=AWKWARD)["Metadata"] == given
    plain = f"aws s3 cp x.jsonl s3://{desk.bucket}/inbox/x.jsonl --metadata betas=a,b,on-invalid=skip"
    (desk.terminal.folder / "x.jsonl").write_bytes(BYTES)
    assert desk.terminal.type(plain).exit != 0


def test_an_archived_drop_is_restored_and_dropped_again(desk: Desk) -> None:
    """With its metadata, in a storage class that can be read."""
    run = desk.drop(AWKWARD, METADATA)
    desk.s3.copy_object(
        Bucket=desk.bucket, Key=AWKWARD, StorageClass="GLACIER", CopySource={"Bucket": desk.bucket, "Key": AWKWARD}
    )
    version = desk.s3.head_object(Bucket=desk.bucket, Key=AWKWARD)["VersionId"]
    run = replace(run, drop=replace(run.drop, version=version))
    notice = messages.refused(run, "drop-archived")
    desk.type(notice, "restore-object")
    (created,) = desk.type(notice, "STANDARD")
    assert (created["Key"], created["Metadata"], created["Body"].read()) == (AWKWARD, METADATA, BYTES)
    assert created.get("StorageClass", "STANDARD") == "STANDARD"


def test_the_commands_for_an_undecided_run_are_understood(desk: Desk) -> None:
    """`poll` understands each command."""
    run = desk.drop(AWKWARD)
    bucket = Bucket(desk.s3, desk.bucket)
    desk.type(messages.undecided(run), "adopt")
    assert Control(bucket, run.run).release(1, 2) == Adopt("msgbatch_a")
    desk.type(messages.undecided(run), "submit again")
    assert Control(bucket, run.run).release(1, 2) == SubmitAgain()
    assert not Control(bucket, run.run).is_stopped
    desk.type(messages.undecided(run), "echo stop")
    assert Control(bucket, run.run).is_stopped


@pytest.mark.parametrize(
    ("need", "reason", "approval"),
    [
        ("61.400001", ReasonCode.ASKED, Approval(Decimal("61.41"))),
        (None, ReasonCode.CEILING, Approval(has_no_limit=True)),
        ("61.40", ReasonCode.PAUSED, Approval()),
        ("61.40", ReasonCode.MODEL, Approval(Decimal("61.40"), takes_any_model=True)),
    ],
)
@pytest.mark.parametrize("project", [keys.DEFAULT_PROJECT, "team-a"])
def test_the_commands_for_a_run_that_waits_are_understood(
    desk: Desk, need: str | None, reason: ReasonCode, approval: Approval, project: str
) -> None:
    """`poll` reads the approval of that gate, and the stop."""
    run, bucket = replace(desk.drop(AWKWARD), project=project), Bucket(desk.s3, desk.bucket)
    notice = messages.waiting(run, need, reason)
    desk.type(notice, "approve-2")
    control = Control(bucket, run.run, project)
    assert control.approval(2) == (keys.approval(run.run, 2, project), approval)
    assert (control.approval(1), control.is_stopped) == (None, False)
    desk.type(notice, "echo stop")
    assert Control(bucket, run.run, project).is_stopped


@by_each
@pytest.mark.parametrize("name", ["limits unread", "waiting for budget", "budget reached"])
def test_limits_are_fetched_edited_and_written_back(desk: Desk, name: str) -> None:
    """The file has the limits of all projects: nobody should write it from memory."""
    desk.s3.put_object(Bucket=desk.bucket, Key=keys.BUDGETS, Body=b"limits")
    notice = dict(messages.messages(desk.drop(AWKWARD)))[name]
    fetch, put = (command for command in messages.commands(notice) if keys.BUDGETS in command)
    desk.terminal.succeed(fetch)
    file = desk.terminal.folder / "budgets.json"
    assert file.read_bytes() == b"limits"
    file.write_bytes(EDITED)
    desk.terminal.succeed(put)
    assert desk.s3.get_object(Bucket=desk.bucket, Key=keys.BUDGETS)["Body"].read() == EDITED


@by_each
def test_the_commands_about_budgets_that_the_documents_name_work(desk: Desk) -> None:
    """An administrator changes the limits, and sees what is taken of a day."""
    desk.s3.put_object(Bucket=desk.bucket, Key=keys.BUDGETS, Body=b"limits")
    desk.s3.put_object(Bucket=desk.bucket, Key=keys.spend_claim("team-a", "2026-11-30", 1), Body=b"a claim")
    page = (Path(__file__).parents[2] / "docs" / "budgets.md").read_text()
    values = {"<BucketName>": desk.bucket, "<project>": "team-a", "<day>": "2026-11-30", "<number>": "00000001"}
    for name, value in values.items():
        page = page.replace(name, value)
    typed = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    said = [desk.terminal.succeed(command) for command in typed]
    assert len(said) == 4
    assert said[2].endswith(b"00000001\n")
    assert said[3] == b"a claim"
    assert desk.s3.get_object(Bucket=desk.bucket, Key=keys.BUDGETS)["Body"].read() == b"limits"


def test_a_run_that_waits_for_its_budget_is_stopped(desk: Desk) -> None:
    """`poll` reads the stop."""
    run = desk.drop(AWKWARD)
    desk.type(messages.waiting_for_budget(run), "echo stop")
    assert Control(Bucket(desk.s3, desk.bucket), run.run).is_stopped


def test_the_providers_words_about_a_probe_are_printed(desk: Desk) -> None:
    """They may quote requests, so they are in no message."""
    run = desk.drop(AWKWARD)
    desk.s3.put_object(
        Bucket=desk.bucket, Key=keys.error_words(keys.content(run.run, run.project), 1), Body=b"its words"
    )
    (command,) = [line for line in messages.commands(messages.probe_failed(run)) if "errors.json" in line]
    assert desk.terminal.succeed(command) == b"its words"


def test_a_dry_run_is_followed_by_the_real_drop(desk: Desk) -> None:
    """The same bytes, without the metadata that made it an estimate."""
    (created,) = desk.type(messages.refused(desk.drop(AWKWARD, METADATA | {"dry-run": "yes"}), "dry-run"))
    assert (created["Body"].read(), created["Metadata"]) == (BYTES, OWN)


@by_each
def test_a_key_is_put_into_the_secret_from_the_shells_variable(desk: Desk) -> None:
    """It is not typed, so that it is not in the shell's history."""
    secrets = desk.client("secretsmanager")
    secrets.put_secret_value(SecretId=messages.SECRET, SecretString="an-old-key")
    command = commands.put_key(messages.SECRET)
    assert desk.terminal.type(f"unset API_KEY; {command}").exit != 0
    assert secrets.get_secret_value(SecretId=messages.SECRET)["SecretString"] == "an-old-key"
    desk.terminal.succeed(command)
    assert secrets.get_secret_value(SecretId=messages.SECRET)["SecretString"] == KEY


@by_each
@pytest.mark.parametrize("name", ["key-refused", "key-unusable", "no secret"])
def test_the_command_about_the_key_in_a_message_about_the_end_of_a_run_stores_the_key(desk: Desk, name: str) -> None:
    """It is complete, alone on its line, and creates the secret where there is none."""
    secrets = desk.client("secretsmanager")
    notice = dict(messages.messages(RUN))[name]
    (command,) = [each for each in messages.commands(notice) if "secretsmanager" in each]
    if name == "no secret":
        secrets.delete_secret(SecretId=messages.SECRET, ForceDeleteWithoutRecovery=True)
    else:
        secrets.put_secret_value(SecretId=messages.SECRET, SecretString="an-old-key")
    desk.terminal.succeed(command)
    assert secrets.get_secret_value(SecretId=messages.SECRET)["SecretString"] == KEY


def test_an_account_that_does_not_balance_is_looked_at(desk: Desk) -> None:
    """The receipt is printed, and the ledger is downloaded."""
    run = desk.drop(AWKWARD)
    notice = messages.ended(run, 2, 0)
    desk.s3.put_object(Bucket=desk.bucket, Key=keys.receipt(run.name, run.run), Body=b"{}")
    desk.s3.put_object(Bucket=desk.bucket, Key=Run.key(run.run), Body=b"facts")
    receipt, ledger = messages.commands(notice)[-2:]
    assert desk.terminal.succeed(receipt) == b"{}"
    desk.terminal.succeed(ledger)
    assert (desk.terminal.folder / "ledger-run-1" / "run.json").read_bytes() == b"facts"


def test_commands_need_the_permissions_that_operate_lists(desk: Desk) -> None:
    """No more, as AWS documents what each call takes; and each of them."""
    run = desk.drop("inbox/a.jsonl", METADATA)
    (desk.terminal.folder / "a.jsonl").write_bytes(EDITED)
    for key in (
        keys.receipt(run.name, run.run),
        Run.key(run.run),
        keys.error_words(keys.content(run.run, run.project), 1),
        keys.BUDGETS,
    ):
        desk.s3.put_object(Bucket=desk.bucket, Key=key, Body=b"{}")
    desk.s3.put_object(Bucket=desk.bucket, Key=keys.retry(run.name, run.run), Body=b"x" * 9_000_000)
    every = (command for _, notice in messages.messages(run) for command in messages.commands(notice))
    for command in dict.fromkeys(every):
        desk.terminal.type(command)  # one that restores finds nothing to restore here
    needed = {(action, about.partition("/")[0]) for action, about in desk.interpreter.needed}
    operate = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()
    _, _, table = operate.partition("| To | A person needs |\n|---|---|\n")
    listed = set[tuple[str, str]]()
    for row in table.partition("\n\n")[0].splitlines():
        for action, places in re.findall(r"`(\w+:\w+)`(?: on ((?:`\w+/\*`(?: and )?)+|the secret))?", row):
            whole = SECRET if places else WHOLE.get(action, "")
            listed |= {(action, place) for place in re.findall(r"(\w+)/", places) or [whole]}
    assert needed == listed


SECRET = messages.SECRET.partition("/")[0]
WHOLE = {"s3:ListBucket": "runs"}
"""The prefix of an action that the table lists without one."""
PATTERNS = {
    "drop_file": "aws s3 cp [^-].* s3://[^ ]+inbox/.*",
    "drop_converted": "aws s3 cp made.jsonl s3://.*made.jsonl.*",
    "drop_version": "aws s3api copy-object .* REPLACE.*",
    "restore": "aws s3api restore-object .*",
    "drop_restored": "aws s3api copy-object .* --storage-class STANDARD.*",
    "send_again": "aws s3 cp s3://.*/failures/.* s3://.* --copy-props metadata-directive",
    "show_errors": "aws s3 cp s3://.*/errors.json -",
    "show_receipt": "aws s3 cp s3://.*/receipt.json -",
    "fetch_ledger": "aws s3 sync .*",
    "adopt": "echo 'adopt .*' \\| aws s3 cp - .*",
    "submit_again": "echo 'submit again' \\| aws s3 cp - .*",
    "stop": "echo stop \\| aws s3 cp - .*",
    "approve": "echo '?(up-to|no-limit|approve).* \\| aws s3 cp - .*/approve-2",
    "fetch_file": r"aws s3 cp s3://.*/run-1/(\w+\.jsonl) \w+\.jsonl",
    "fetch_limits": "aws s3 cp s3://.*/config/budgets.json budgets.json",
    "put_limits": "aws s3 cp budgets.json s3://.*/config/budgets.json",
    "put_key": "aws secretsmanager put-secret-value .*",
    "create_key": "aws secretsmanager create-secret .*",
}
"""The pattern of each function's command; the tests above type each of them."""


def test_the_commands_of_all_messages_are_those_that_are_typed_here() -> None:
    """A new command needs a test, and every tested command is in a message."""
    functions = {
        name for name, function in getmembers(commands, isfunction) if function.__module__ == commands.__name__
    }
    parts = {
        "url",
        "drop_again",
        "can_stay",
        "carried",
        "key_again",
        "key_of_retry",
    }  # of commands, and what chooses one
    parts |= {"conveyor", "command_words"}  # a test of every message holds these against the command line
    assert {name for name in functions if not name.startswith("_")} - parts == set(PATTERNS)
    typed = [command for _, notice in messages.messages(RUN) for command in messages.commands(notice)]
    known = {commands.ALLOW_OUTBOUND_IDENTITY, "cat < x > made.jsonl"}
    any_pattern = re.compile("|".join(PATTERNS.values()))
    assert [command for command in typed if command not in known and not any_pattern.fullmatch(command)] == []
    assert [
        name for name, pattern in PATTERNS.items() if not any(re.fullmatch(pattern, command) for command in typed)
    ] == []
