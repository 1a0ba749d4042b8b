"""Messages about a run in progress: what is wrong, since when, and what a person can type."""

import re
import shlex
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.status import STATUSES
from conveyor.gates.release import Adopt, SubmitAgain, Unclear, read_release
from conveyor.poll.decisions.decision import Risk, Undecided
from conveyor.poll.message import Trouble, at_risk_notice, troubled_notice, undecided_notice
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice, Sent
from tests.support.examples import NOW, RUN, SENT
from tests.support.shell import messages

SINCE = NOW + timedelta(hours=3)
OPEN = Undecided(batch=1, attempt=2, doubtful=("msgbatch_a", "msgbatch_b"))
HERE = f"s3://bucket/{keys.release('run-1', 1, 2)}"
WHY = Trouble("why", SINCE)
ODD = replace(RUN, name="n" * 512, drop=replace(RUN.drop, key='inbox/team a/it\'s "x".jsonl'))


def undecided(reason: str = "why", doubtful: tuple[str, ...] = OPEN.doubtful) -> Notice:
    """Return the message about an undecided run."""
    return undecided_notice(RUN, Trouble(reason, SINCE), OPEN._replace(doubtful=doubtful), "conveyor/api-key", SENT)


def troubled(reason: str = "why", ends: datetime | None = None) -> Notice:
    """Return the message about a run that waits for the provider."""
    return troubled_notice(RUN, Trouble(reason, SINCE), "conveyor/api-key", SENT, ends)


def commands(notice: Notice) -> list[list[str]]:
    """Return the words of every command in a message that needs no `conveyor`, as a shell splits them."""
    return [shlex.split(line) for line in messages.commands(notice)]


def test_an_undecided_run_says_when_it_settles_that_itself() -> None:
    """Unless batches may be its own, or what a person wrote must be put in order first."""
    words = "lists no batch that may be it 15 min after the call or later, the batch is sent again."
    assert words in " ".join(undecided(doubtful=()).message.split())
    assert "continues by itself once it is known." in " ".join(undecided().message.split())
    unclear = WHY._replace(is_answer=True)
    notice = undecided_notice(RUN, unclear, OPEN._replace(doubtful=()), "conveyor/api-key", SENT)
    assert "sent again" not in notice.message.partition("Without the conveyor command")[0]


@pytest.mark.parametrize(
    ("reason", "ends"),
    [("HTTP 401", None), ("HTTP 403 for /v1/messages/batches/msgbatch_a/results", None), ("HTTP 404", NOW)],
)
def test_where_requests_are_signed_trouble_is_about_roles_and_not_about_a_key(
    reason: str, ends: datetime | None
) -> None:
    """Such a stack has no secret."""
    signing = replace(RUN, settings=replace(RUN.settings, auth="aws", workspace_id="wrkspc_01EXAMPLE"))
    notice = troubled_notice(signing, Trouble(reason, SINCE), "conveyor/api-key", SENT, ends)
    assert not re.search("secret|key", notice.message)
    is_refused = ["aws", "iam", "enable-outbound-web-identity-federation"] in commands(notice)
    assert is_refused is (ends is None)
    assert ("wrkspc_01EXAMPLE" in notice.message) is (ends is not None)


def test_what_the_provider_does_not_know_may_have_been_deleted_or_belong_to_another_key() -> None:
    """The message names both causes, a command for the second, and when the run continues without the results."""
    notice = troubled_notice(RUN, Trouble("HTTP 404", SINCE), "conveyor/api-key", SENT, NOW + timedelta(days=29))
    put, _ = commands(notice)
    secret = ["--secret-id", "conveyor/api-key", "--secret-string", "${API_KEY:?}"]
    assert put == ["aws", "secretsmanager", "put-secret-value", *secret]
    said = " ".join(notice.message.split())
    assert "was deleted at the provider" in said
    assert "a key of another workspace" in said
    assert "repeats the request until about 2026-12-21 10:00 UTC" in said
    assert "by itself" not in said


@pytest.mark.parametrize(
    "notice", [undecided("the list broke off"), troubled("the list broke off"), troubled("the list broke off", NOW)]
)
def test_a_warning_names_drop_run_cause_and_since_when(notice: Notice) -> None:
    """The reader learns which run has trouble, which, and for how long."""
    assert (notice.run, notice.name) == ("run-1", "team/articles")
    word = STATUSES[notice.status].word
    assert re.fullmatch(rf"Conveyor: {word} team/articles \([^()]+\)", notice.subject)
    drop = "s3://bucket/inbox/team/articles.jsonl"
    for label, value in (("Why", "the list broke off"), ("Since", "2026-11-22 13:00 UTC"), ("Drop", drop)):
        assert f"\n{label + ':':<15}{value}\n" in notice.message
    assert notice.message.endswith("\n-- \nProject default, run run-1")


@pytest.mark.parametrize("notice", [undecided(), troubled(), troubled(ends=NOW)])
def test_every_warning_says_how_the_run_is_stopped(notice: Notice) -> None:
    """The command writes the key that poll checks."""
    stop = ["echo", "stop", "|", "aws", "s3", "cp", "-", f"s3://bucket/{keys.stop('run-1')}"]
    assert commands(notice)[-1] == stop


def test_the_commands_for_a_run_of_a_project_name_a_prefix_that_can_be_granted_by_project() -> None:
    """Whoever may write under the prefix of the run may write there, too."""
    notice = undecided_notice(replace(RUN, project="team-a"), Trouble("why", SINCE), OPEN, "conveyor/api-key", SENT)
    places = {command[-1] for command in commands(notice)}
    decide, stop = keys.release("run-1", 1, 2, "team-a"), keys.stop("run-1", "team-a")
    assert places == {f"s3://bucket/{decide}", f"s3://bucket/{stop}"}
    assert all(place.startswith("s3://bucket/control/team-a/run-1/") for place in places)
    assert notice.project == "team-a"


def test_a_message_about_an_undecided_run_has_a_command_for_each_possible_case() -> None:
    """One command for each possible batch, and one for none; poll understands each of them for this attempt."""
    *release, _ = commands(undecided())
    words = [(read_release(HERE, said), *rest) for _, said, *rest in release]
    to = ("|", "aws", "s3", "cp", "-", HERE)
    assert words == [(Adopt("msgbatch_a"), *to), (Adopt("msgbatch_b"), *to), (SubmitAgain(), *to)]
    assert "nothing more is paid" in " ".join(undecided().message.split())
    assert "pays again if you are mistaken" in undecided().message


def test_without_a_possible_batch_the_command_has_a_placeholder_for_its_id() -> None:
    """Without an id the command is rejected with a message, and nothing is charged."""
    adopt, again, _ = commands(undecided(doubtful=()))
    assert adopt[1] == "adopt <batch id>"
    assert isinstance(read_release(HERE, adopt[1]), Unclear)
    assert read_release(HERE, again[1]) == SubmitAgain()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_a_shell_does_not_execute_a_batch_id(batch_id: str) -> None:
    """The provider chooses it, and a person copies it into a terminal."""
    assert commands(undecided(doubtful=(batch_id,)))[0][:3] == ["echo", f"adopt {batch_id}", "|"]


@pytest.mark.parametrize(
    "notice", [undecided_notice(ODD, WHY, OPEN, "key", SENT), troubled_notice(ODD, WHY, "key", SENT)]
)
def test_a_warning_is_correct_for_any_key_and_any_name(notice: Notice) -> None:
    """Spaces and quotes in a key change no command, and a long name is cut to the limit of SNS."""
    assert 'inbox/team a/it\'s "x".jsonl' in notice.message
    assert commands(notice) == commands(undecided() if notice.status == "undecided" else troubled())
    assert len(notice.subject) <= 99
    assert notice.subject.isascii()
    assert notice.subject.isprintable()


@pytest.mark.parametrize("status", [401, 403])
def test_a_message_about_a_refused_key_has_the_command_that_replaces_it(status: int) -> None:
    """The command names the secret of the stack."""
    put, _ = commands(troubled(f"HTTP {status}"))
    secret = ["--secret-id", "conveyor/api-key", "--secret-string", "${API_KEY:?}"]
    assert put == ["aws", "secretsmanager", "put-secret-value", *secret]


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("HTTP 404", "whether the provider is reachable"),
        ("HTTP 529", "whether the provider is reachable"),
        ("HTTP 429 rate_limit_error: wait", "whether its queue is full"),
        ("ReadTimeout", "whether the provider is reachable"),
    ],
)
def test_a_message_about_other_trouble_says_what_to_check(reason: str, advice: str) -> None:
    """It never contains a command that would not help."""
    assert advice in " ".join(troubled(reason).message.split())
    assert len(commands(troubled(reason))) == 1


def risks(count: int) -> list[Risk]:
    """Return batches that may expire, one each minute."""
    times = (timedelta(minutes=number) for number in range(count))
    return [Risk(f"batch_{time.seconds // 60}", 1500, NOW + time, NOW + time + timedelta(hours=6)) for time in times]


def test_batches_that_may_expire_are_named_with_their_requests_the_time_and_what_happens_then() -> None:
    """They are listed in order of expiry; the one command stops the run."""
    notice = at_risk_notice(RUN, risks(2)[::-1], timedelta(hours=24), SENT)
    assert (notice.status, notice.subject) == (
        "at-risk",
        "Conveyor: at risk team/articles (up to 3,000 requests may expire, from 22 Nov 16:00 UTC)",
    )
    said = notice.message.splitlines()
    plain = " ".join(said)
    assert plain.startswith("Up to 3,000 requests of team/articles may expire: 2 batches have not ended")
    first = said.index("  batch_0: 1,500 requests, until about 2026-11-22 16:00 UTC")
    assert said[first + 1] == "  batch_1: 1,500 requests, until about 2026-11-22 16:01 UTC"
    assert "(24 hours in all)" in plain
    assert "not billed" in notice.message
    assert "retry.jsonl" in notice.message
    stop = ["echo", "stop", "|", "aws", "s3", "cp", "-", f"s3://bucket/{keys.stop('run-1')}"]
    assert commands(notice) == [stop]


def test_of_many_batches_that_may_expire_the_first_are_named_and_all_are_counted() -> None:
    """The message is part of the state of the state machine, whose size is limited."""
    notice = at_risk_notice(ODD, risks(500), timedelta(days=7), SENT)
    assert notice.message.count("until about") == 20
    assert "and 480 more" in notice.message
    assert notice.message.startswith("Up to 750,000 requests of")
    assert "(168 hours in all)" in " ".join(notice.message.split())
    assert len(notice.subject) <= 99


def test_one_batch_that_may_expire_is_named_in_the_singular() -> None:
    """One batch is the usual case."""
    notice = at_risk_notice(RUN, [risks(1)[0]._replace(requests=1)], timedelta(hours=24), SENT)
    plain = " ".join(notice.message.split())
    assert plain.startswith("Up to 1 request of team/articles may expire: 1 batch has not ended")
    assert notice.subject == "Conveyor: at risk team/articles (up to 1 request may expire, from 22 Nov 16:00 UTC)"
    assert "batch_0: 1 request, until about" in notice.message


@pytest.mark.parametrize(
    ("reason", "figures", "why"),
    [
        ("HTTP 500", "the provider has an internal error", "the provider has an internal error (HTTP 500)"),
        (
            "RemoteProtocolError while /v1/x was read",
            "the provider's response was cut off, or was not valid HTTP",
            "the provider's response was cut off, or was not valid HTTP (RemoteProtocolError while /v1/x was read)",
        ),
        (
            "HTTP 404",
            "the provider did not find what was requested",
            "the provider did not find what was requested (HTTP 404)",
        ),
    ],
)
def test_trouble_is_described_in_the_subject_and_named_behind_why(reason: str, figures: str, why: str) -> None:
    """The subject says what happened; the technical name is given for those who repair it."""
    notice = troubled(reason)
    assert notice.subject == f"Conveyor: trouble team/articles ({figures})"
    assert f"\nWhy:           {why}\n" in notice.message


ARN = "arn:aws-us-gov:states:us-gov-west-1:111122223333:execution:conveyor-run:run-1-2"


@pytest.mark.parametrize("where", [Console.of(ARN), Console.of(ARN, "https://localhost")])
def test_a_message_about_a_run_that_goes_on_has_one_link_to_it_where_there_is_a_console(where: Console) -> None:
    """It is for the Region and partition of the execution."""
    sent = Sent(NOW, where)
    for notice in (
        troubled_notice(RUN, WHY, "key", sent),
        undecided_notice(RUN, WHY, OPEN, "key", sent),
        at_risk_notice(RUN, risks(1), timedelta(hours=24), sent),
    ):
        links = [line for line in notice.message.splitlines() if line.startswith("https://")]
        assert len(links) == where.has_pages
        assert notice.data.link == (links[0] if links else None)
        assert all(link.endswith(ARN) for link in links)
        assert all(link.startswith("https://us-gov-west-1.console.amazonaws-us-gov.com/states/") for link in links)
