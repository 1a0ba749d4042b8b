"""Commands that a person writes for a run: two are accepted, and nothing similar."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conveyor.domain import keys
from conveyor.gates.release import Adopt, SubmitAgain, Unclear, read_release
from conveyor.poll.control import Control
from conveyor.s3.bucket import Bucket
from tests.support.fake_aws import FakeBucket

KEY = keys.release("run-1", 1, 2)
FIRST = set(string.ascii_letters + string.digits)
SAFE = FIRST | set("_-.:=")
"""Some servers of files make ids of whatever they stand for, in Base64."""
LONGEST = 500
KNOWN = ["adopt", "submit", "again", "Adopt", "stop", "msgbatch_1", "a/b", "..", ""]
SENTENCES = st.lists(st.sampled_from(KNOWN) | st.text(max_size=9), max_size=4).map(" ".join)


@pytest.mark.parametrize("text", ["adopt msgbatch_1", "adopt msgbatch_1\n", "\tadopt   msgbatch_1 \r\n"])
def test_a_batch_is_named_by_its_id(text: str) -> None:
    """It may end as `echo` or an editor writes it."""
    assert read_release(KEY, text) == Adopt("msgbatch_1")


@pytest.mark.parametrize("text", ["submit again", "submit again\n", " submit\tagain\r\n"])
def test_an_attempt_that_created_no_batch_is_followed_by_another(text: str) -> None:
    """A person has confirmed it, and pays for it."""
    assert read_release(KEY, text) == SubmitAgain()


def is_safe(batch_id: str) -> bool:
    """Return whether a text is certainly a batch id."""
    return batch_id[0] in FIRST and set(batch_id) <= SAFE and len(batch_id) <= LONGEST


@given(st.text() | SENTENCES)
@example("adopt batch_bGl0ZWxsbV9wcm94eTo=")
@example("submit  again ")
@example("adopt a-B_9")
@example("submit again or not")
@example("do not submit again")
@example("SUBMIT AGAIN")
@example("submitagain")
@example("adopt adopt msgbatch_1")
@example("adopt")
@example("")
def test_no_other_text_is_taken(text: str) -> None:
    """An unclear or misspelled command costs nothing, and the person is asked again."""
    match read_release(KEY, text), text.split():
        case Adopt(batch_id), words:
            assert words == ["adopt", batch_id]
            assert is_safe(batch_id)
        case SubmitAgain(), words:
            assert words == ["submit", "again"]
        case Unclear(reason), words:
            assert words != ["submit", "again"]
            assert words[:1] != ["adopt"] or len(words) != 2 or not is_safe(words[1])
            assert KEY in reason


@pytest.mark.parametrize(
    "batch_id",
    [
        "..",
        ".",
        "../models",
        "msgbatch_1/cancel",
        "msgbatch_1/../../models",
        "msgbatch_1?limit=1",
        "msgbatch_1#",
        "%2e%2e",
        "msgbatch_1%2Fcancel",
        "\\..\\models",
        "//elsewhere.test",
        "@elsewhere.test",
        "msgbatch_é",
        "msgbatch_１",  # noqa: RUF001  # a digit outside ASCII
        "-msgbatch_1",
        "m" * (LONGEST + 1),
    ],
)
def test_a_batch_id_that_could_lead_elsewhere_is_not_taken(batch_id: str) -> None:
    """It becomes part of a URL to which the API key is sent, and of a key in the bucket."""
    assert isinstance(read_release(KEY, f"adopt {batch_id}"), Unclear)


def control_of(**texts: str) -> Control:
    """Return what people wrote about attempt 2 of batch 1 of a run of team-a, by the prefix: `run` or `project`."""
    bucket = FakeBucket()
    projects = {"run": keys.DEFAULT_PROJECT, "project": "team-a", "other": "team-b"}
    for prefix, text in texts.items():
        bucket.objects[keys.release("run-1", 1, 2, projects[prefix])] = text.encode()
    return Control(Bucket(bucket.client, "bucket"), "run-1", "team-a")


def test_a_decision_counts_under_the_run_and_under_its_project() -> None:
    """Two people may say the same."""
    for texts in (
        {"run": "submit again"},
        {"project": "submit again"},
        {"run": "submit again", "project": "submit  again"},
    ):
        assert control_of(**texts).release(1, 2) == SubmitAgain()


def test_a_decision_under_another_project_does_not_count() -> None:
    """Its writer may have no right on this one."""
    control = control_of(other="submit again")
    assert (control.release(1, 2), control.is_stopped) == (None, False)


def test_two_people_who_contradict_each_other_are_told_so() -> None:
    """Either decision may pay, or lose a batch that was paid for."""
    release = control_of(run="submit again", project="adopt msgbatch_1").release(1, 2)
    assert isinstance(release, Unclear)
    assert "control/run-1/batches/1/attempt-2 and control/team-a/run-1/batches/1/attempt-2 say diff" in release.reason
