"""The page is written beside the receipt, and never keeps a run from ending."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.stub import ANY, Stubber

from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.page import page
from conveyor.report.message import notice_of
from conveyor.report.report import report
from conveyor.report.write_page import write_page
from conveyor.s3.bucket import Bucket
from conveyor.wording.console import Console
from tests.support import template
from tests.support.page_samples.marked import MARKED
from tests.support.page_samples.samples import sample
from tests.support.receipts import EVERY
from tests.support.sent_runs import SentRun

KEY = "results/team/articles/run-1/report.html"
HOSTILE = sample("hostile")
KEY_OF_HOSTILE = keys.report(HOSTILE.name, HOSTILE.run)
LOADED = """
import sys
import app
print(sorted({name for name in sys.modules if name.split(".")[0] == "jinja2" or name.startswith("conveyor.page")}))
"""


def started(code: str) -> str:
    """Run a program that can import the function, and return what it printed."""
    path = os.pathsep.join(str(template.PROJECT / folder) for folder in ("functions/report", "layers/conveyor"))
    names = {"PYTHONPATH": path, "POWERTOOLS_SERVICE_NAME": "stack-report", "POWERTOOLS_METRICS_NAMESPACE": "Conveyor"}
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", code], env=names, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one template be missing."""
    shutil.copytree(page.FOLDER, tmp_path / "page")
    (tmp_path / "page" / "templates" / "files.html.j2").unlink()
    monkeypatch.setattr(page, "FOLDER", tmp_path / "page")


def no_provider(_: httpx.Request) -> httpx.Response:
    """Fail: a report does not call the provider."""
    raise AssertionError


def test_a_page_is_stored_so_that_a_browser_shows_it() -> None:
    """Its type and its characters are said, and that it is not a download."""
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106
    with Stubber(client) as stubber:
        how = {"ContentType": "text/html; charset=utf-8", "ContentDisposition": "inline"}
        stubber.add_response("put_object", {}, {"Bucket": "bucket", "Key": KEY_OF_HOSTILE, "Body": ANY, **how})
        assert write_page(HOSTILE, Console(""), Bucket(client, "bucket")) is None
        stubber.assert_no_pending_responses()


def test_every_run_has_a_page_and_writing_it_again_changes_nothing() -> None:
    """It follows from the receipt alone."""
    run = SentRun(no_provider, batches=2, split=(1, 2))
    report({"run": "run-1"}, run.clients, Invocation(timedelta(seconds=900)))
    first = run.bucket.objects[keys.report(run.run.name, "run-1")]
    assert first.startswith(b"<!doctype html>")
    report({"run": "run-1"}, run.clients, Invocation(timedelta(seconds=900)))
    assert run.bucket.objects[keys.report(run.run.name, "run-1")] == first


@pytest.mark.usefixtures("broken")
def test_a_page_that_cannot_be_made_does_not_keep_a_run_from_ending() -> None:
    """The receipt, the entry in the index and the message are there; the message names no page."""
    run = SentRun(no_provider, batches=2, split=(1, 2))
    invocation = Invocation(timedelta(seconds=900))
    answer = report({"run": "run-1"}, run.clients, invocation)
    assert invocation.observed.ended is not None
    assert str(invocation.observed.ended.no_page).startswith("TemplateNotFound at ")
    written = set(run.bucket.objects)
    assert keys.receipt(run.run.name, "run-1") in written
    assert [key for key in written if key.startswith(keys.INDEX)]
    assert keys.report(run.run.name, "run-1") not in written
    assert "report.html" not in answer["message"]


@pytest.mark.usefixtures("broken")
def test_what_is_said_of_the_defect_quotes_nothing_of_the_receipt() -> None:
    """It is a type and a place."""
    said = write_page(HOSTILE, Console(""), Bucket(boto3.client("s3", region_name="us-east-1"), "bucket"))
    assert said is not None
    assert MARKED not in said


def test_files_beside_the_templates_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an editor or a file manager leaves there may be deployed, too."""
    shutil.copytree(page.FOLDER, tmp_path / "page")
    for name in (".DS_Store", "._page.html.j2", "page.html.j2~", ".page.html.j2.swp"):
        (tmp_path / "page" / "templates" / name).write_bytes(b"\xff{% no")
    expected = page.page_of(HOSTILE)
    monkeypatch.setattr(page, "FOLDER", tmp_path / "page")
    assert page.page_of(HOSTILE) == expected


def test_a_message_names_the_page_only_if_there_is_one() -> None:
    """A link to nothing would look like a lost file."""
    receipt = EVERY["some failed"]
    assert KEY in notice_of(receipt).message
    assert "report.html" not in notice_of(receipt, has_page=False).message


@pytest.mark.slow
def test_the_function_starts_without_the_template_engine() -> None:
    """It would be loaded at each cold start, and is needed at the end only."""
    assert started(LOADED).strip() == "[]"
