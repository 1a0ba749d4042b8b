"""The settings in a receipt: every one of a run, as people write it, and nothing secret."""

import re

from msgspec.structs import replace

from conveyor.receipt.settings_account import settings_of
from conveyor.settings.settings import FIELDS
from conveyor.settings.tuning import defaults, read_tuning
from tests.support.examples import DROP, RUN, SETTINGS
from tests.support.template import template


def test_each_setting_has_the_name_of_its_parameter() -> None:
    """So a reader finds what to change."""
    names = [each.name for each in settings_of(RUN)]
    assert names == sorted(names)
    assert len(names) == len(FIELDS)
    parameters = {name for name in names if not name.startswith("Tuning=")}
    assert parameters <= template()["Parameters"].keys()
    numbers = [f"{each.name}={each.value}" for each in settings_of(RUN) if each.name not in parameters]
    assert read_tuning(",".join(each.removeprefix("Tuning=") for each in numbers)) == defaults()


def test_no_setting_is_a_secret() -> None:
    """The key is in Secrets Manager, and no setting comes from a parameter that CloudFormation hides."""
    hidden = {name for name, parameter in template()["Parameters"].items() if parameter.get("NoEcho")}
    names = {each.name for each in settings_of(RUN)}
    assert not names & hidden
    assert not [name for name in names if re.search("key|secret|password|credential", name, re.IGNORECASE)]


def test_amounts_are_written_as_people_write_them() -> None:
    """Twenty dollars are no 20.0, and cents stay."""
    for usd, written in [(20.0, "20"), (61.4, "61.4"), (0.0, "0"), (1_000_000.0, "1000000"), (0.01, "0.01")]:
        run = replace(RUN, settings=replace(SETTINGS, hold_above_usd=usd))
        assert {each.name: each.value for each in settings_of(run)}["HoldAboveUsd"] == written


def test_metadata_is_named_where_it_was_accepted() -> None:
    """A drop that is refused for its metadata has the settings of the stack."""
    drop = replace(DROP, metadata={"retry-rounds": "1", "mtime": "2"})
    run = replace(RUN, drop=drop, settings=replace(SETTINGS, retry_rounds=1))
    assert [each for each in settings_of(run) if each.metadata] == [
        type(settings_of(run)[0])("RetryRounds", "1", "retry-rounds")
    ]
    assert not any(each.metadata for each in settings_of(replace(run, problem="no such value")))
