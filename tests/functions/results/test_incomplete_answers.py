"""Incomplete answers are counted in the receipt and reported in the message, in both dialects."""

import json
from pathlib import Path

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.promises import check, plain

REPORT = Path(__file__).parents[2] / "data" / "reports" / "stop-reasons.provider.json"


@pytest.mark.parametrize("form", ["messages", "files", "chat"])
def test_incomplete_answers_are_counted_and_reported(belt: Belt, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """They are results, so the result counts alone do not show them."""
    monkeypatch.setenv("CONVEYOR_BATCH_API", "files-openai" if form == "chat" else form)
    if form == "chat":
        monkeypatch.setenv("CONVEYOR_BATCH_ENDPOINT", "/v1/chat/completions")
    outcomes = json.loads(REPORT.read_text())["outcomes"] | {"6": "succeeded:null"}
    belt.provider.configure(outcomes=outcomes)
    data = drop_of(6)
    run = belt.upload(data)
    notice = belt.finish(run)
    receipt = check(belt, run, notice, data)
    (counted,) = receipt["stop_reasons"].values()
    cut = 2 if form == "chat" else 1
    assert counted.pop("max_tokens") == cut
    assert counted == {"refusal": 1, "pause_turn": 1, "end_turn": 1, "null": 1} | (
        {} if form == "chat" else {"model_context_window_exceeded": 1}
    )
    assert f"{cut} answer{'s were' if cut > 1 else ' was'} cut off at max_tokens; " in plain(notice["message"])
    assert "1 answer was refused by the model (refusal); 1 answer is unfinished" in plain(notice["message"])
    assert "1 answer ended for another reason (null)." in plain(notice["message"])
