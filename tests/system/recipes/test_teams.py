"""docs/recipes/teams.md as it stands: two teams with roles and limits on the deployed stack."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.recipes.desk import desk
from tests.support.recipes.page import PROJECT, page
from tests.support.system.runs import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
ACCOUNT, SHOWN_ACCOUNT = "000000000000", "111122223333"
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
"""Those of a profile are taken."""
SECONDS = 60.0


@pytest.fixture
def fast_provider(stack: Stack) -> Iterator[None]:
    """Answer everything soon, and remove the limits after the test."""
    stack.provider_settings({"outcomes": {}, "every": {}})
    yield
    stack.s3.delete_object(Bucket=stack.bucket, Key="config/budgets.json")


def states(screen: str) -> set[str]:
    """Return how the runs of a list stand."""
    return set(re.findall(r"with the provider|waiting for budget", screen))


@pytest.mark.usefixtures("fast_provider")
def test_two_teams_keep_to_their_limits_and_do_not_wait_for_each_other(stack: Stack, tmp_path: Path) -> None:
    """The page is typed from top to bottom, by people with the roles that it makes."""
    config, keys = tmp_path / "config", tmp_path / "credentials"
    keys.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(keys)}
    with (
        page("teams.md") as recipe,
        desk(stack, tmp_path, **files, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="") as shell,
    ):
        assert recipe.take("json") == (PROJECT / "samples" / "teams" / "budgets.json").read_text()
        for _ in range(2):
            shell.type(recipe.take("sh"))
        config.write_text(recipe.take("ini").replace(SHOWN_ACCOUNT, ACCOUNT))
        for _ in range(2):
            shell.shows(recipe.take("console"))
        shell.type(recipe.take("sh"))
        shell.shows(recipe.take("console"))
        shell.type(recipe.take("sh"))
        stack.provider_settings({"seconds": None})
        time.sleep(DAY_SECONDS - time.time() % DAY_SECONDS)  # all of the flood is in one day
        shell.type(recipe.take("sh"))
        full = "waiting-for-budget"
        stack.wait_for(lambda: full in [each.status for each in stack.messages()] or None, SECONDS, full)
        shown = recipe.take("console")
        command, _, table = shown.removeprefix("$ ").partition("\n")
        assert states(shell.type(command)) == states(table) == {"with the provider", "waiting for budget"}
        before = stack.provider_stats()["created"]
        shell.type(recipe.take("sh"))
        stack.wait_for(lambda: stack.provider_stats()["created"] > before or None, SECONDS, "batch of the other team")
        shell.type(recipe.take("sh"))
        stack.provider_settings({"seconds": 0})
        shell.type(recipe.take("sh"))
        shell.shows(recipe.take("console"))
        for _ in range(3):
            shell.type(recipe.take("sh"))
