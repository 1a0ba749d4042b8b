"""The tables for Athena: only where they are asked for, and each view says the same to Glue and to Athena."""

import json

import pytest

from tests.support import template
from tests.support.template import Json, spelled

TABLES = template.resources("AWS::Glue::Table")
VIEWS = sorted(name for name, table in TABLES.items() if table["TableInput"]["TableType"] == "VIRTUAL_VIEW")
OF_TRINO = {"string": "varchar"}
"""By the type of Glue; all others have the same name."""
SWITCH = "HasResultsDatabase"


def test_nothing_is_there_without_a_database() -> None:
    """A stack that is updated gets none by itself."""
    kinds = ("AWS::Glue::", "AWS::Athena::")
    resources = template.template()["Resources"].values()
    ours = [resource for resource in resources if resource["Type"].startswith(kinds)]
    assert len(ours) == len(TABLES) + 2
    assert {resource.get("Condition") for resource in ours} == {SWITCH}
    assert template.template()["Parameters"]["ResultsDatabase"]["Default"] == ""


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_names_the_same_columns_twice(name: str) -> None:
    """Glue shows one list, and Athena compares its query with the other."""
    given = TABLES[name]["TableInput"]
    columns = [(each["Name"], each["Type"]) for each in given["StorageDescriptor"]["Columns"]]
    view = definition(given)
    assert [(each["name"], each["type"]) for each in view["columns"]] == [
        (name, OF_TRINO.get(kind, kind)) for name, kind in columns
    ]
    assert (view["catalog"], view["schema"]) == ("awsdatacatalog", "${ResultsDatabase}")
    assert "\n" not in view["originalSql"]


def test_tables_read_what_the_bucket_has() -> None:
    """Each of the two folders of outputs."""
    read = {
        name: spelled(table["TableInput"]["StorageDescriptor"].get("Location", "")) for name, table in TABLES.items()
    }
    assert {name: place for name, place in read.items() if place} == {
        "ResultLines": "s3://${Bucket}/results/",
        "FailureLines": "s3://${Bucket}/failures/",
    }


def definition(table: Json) -> Json:
    """Return what Athena reads of a view."""
    start, encoded, end = table["ViewOriginalText"]["Fn::Join"][1]
    assert (start, end, table["ViewExpandedText"]) == ("/* Presto View:", "*/", "/* Presto View */")
    view: Json = json.loads(spelled(encoded["Fn::Base64"]))
    return view
