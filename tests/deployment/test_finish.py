"""A deployment ends with `conveyor doctor`, typed as a person can type it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployment.aws.account import Account
from deployment.finish import check
from deployment.plan import Plan
from deployment.screen import Screen
from deployment.settings.template import read
from deployment.trouble import FAILED
from tests.support import template

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

COMMAND = "conveyor doctor --stack conveyor --region eu-central-1 --wait 10"


def test_the_doctor_looks_at_the_new_stack_and_waits_for_its_first_upload(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Here it gets no credentials, and says so. What it finds is not well, and the command is shown once more."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    plan = Plan("conveyor", Account("eu-central-1"), read(template.SOURCE).complete({}), {}, None)
    assert check(Screen(), plan, is_first=True) == FAILED
    shown, said = capfd.readouterr()
    assert shown.startswith(f"$ {COMMAND}\n")
    assert shown.rstrip().endswith(COMMAND)
    assert "is deployed, but not all is well" in shown
    assert "credentials" in shown + said
    assert "No such option" not in said
