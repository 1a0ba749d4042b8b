"""Files that are not what they should be: taken where their requests can be read, else refused as what they are."""

from pathlib import Path

from tests.functions.belt import Belt

REPORTS = Path(__file__).parents[1] / "data" / "reports"


def test_files_put_together_from_files_with_byte_order_marks_are_taken(belt: Belt) -> None:
    """The marks are not sent, nor do they move anything."""
    belt.provider.configure(outcomes={"2": "expired"})
    data = (REPORTS / "bom-in-the-middle.jsonl").read_bytes()
    assert belt.finish(belt.upload(data))["status"] == "completed"
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r1"]
    assert [(line["custom_id"], line["line"]) for line in belt.lines("failures/", "failures.jsonl")] == [("r2", 2)]
    assert belt.lines("failures/", "retry.jsonl")[0]["custom_id"] == "r2"
