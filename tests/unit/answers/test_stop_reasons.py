"""Stop reasons of answers: read in each dialect, counted within bounds, and reported."""

from typing import Any

import msgspec
import pytest

from conveyor.answers.stop_reasons import Stops, add_stops, count_stop, unfinished
from conveyor.domain.outcome import Outcome, OutputKind, Result
from conveyor.ledger.part import Part
from conveyor.provider.files import results as file_results
from conveyor.provider.messages import results as message_results
from conveyor.split.tally import Tally
from tests.support.examples import NOW

_encode = msgspec.json.encode


def message(**fields: Any) -> dict[str, Any]:
    """Return a message as either API may write it."""
    return {"id": "m", "model": "m-1", "content": [{"type": "text", "text": "a"}]} | fields


def line(answer: dict[str, Any]) -> bytes:
    """Return a successful result line of the Message Batches API."""
    return _encode({"custom_id": "n-1", "result": {"type": "succeeded", "message": answer}}) + b"\n"


def in_file(answer: dict[str, Any]) -> bytes:
    """Return a successful result line of the files dialect."""
    return _encode({"custom_id": "n-1", "response": {"status_code": 200, "body": answer}, "error": None}) + b"\n"


SAID = [
    ({"stop_reason": "end_turn"}, "end_turn"),
    ({"stop_reason": "max_tokens"}, "max_tokens"),
    ({"stop_reason": "refusal"}, "refusal"),
    ({"stop_reason": "a_reason_of_next_year"}, "a_reason_of_next_year"),
    ({"stop_reason": None}, "null"),
    ({"stop_reason": 7}, "other"),
    ({"stop_reason": {"a": 1}}, "other"),
    ({"stop_reason": "x" * 41}, "other"),
    ({"stop_reason": "with words"}, "other"),
    ({"stop_reason": ""}, "other"),
    ({}, ""),
    ({"stop_reason": "max_tokens", "usage": {"input_tokens": "odd"}}, "max_tokens"),
    ({"stop_reason": "max_tokens", "model": 7}, "max_tokens"),
]


@pytest.mark.parametrize(("fields", "counted"), SAID)
@pytest.mark.parametrize("more", [0, 3])
def test_a_message_says_why_it_ended(fields: dict[str, Any], counted: str, more: int) -> None:
    """It is read alone or among lines of its format; null and unknown reasons have a name, too."""
    lines = [line(message(**fields)), *[line(message(stop_reason="end_turn"))] * more]
    results = list(message_results.decode_results(lines))
    assert [result.stop for result in results] == [counted, *["end_turn"] * more]


CHAT = [
    ({"choices": [{"finish_reason": "stop"}]}, "end_turn"),
    ({"choices": [{"finish_reason": "length"}]}, "max_tokens"),
    ({"choices": [{"finish_reason": "content_filter"}]}, "refusal"),
    ({"choices": [{"finish_reason": "tool_calls"}]}, "tool_use"),
    ({"choices": [{"finish_reason": "function_call"}]}, "tool_use"),
    ({"choices": [{"finish_reason": None}]}, "null"),
    ({"choices": [{"finish_reason": "eos"}]}, "eos"),
    ({"choices": [{"finish_reason": 3}]}, "other"),
    ({"choices": [{"finish_reason": "stop"}, {"finish_reason": "length"}]}, "max_tokens"),
    ({"choices": [{"text": "a"}]}, ""),
    ({"choices": [None, {"finish_reason": "length"}]}, "max_tokens"),
    ({"choices": {}}, ""),
    ({"choices": [{"finish_reason": "length"}], "stop_reason": None}, "max_tokens"),
    ({"choices": [{"finish_reason": "length"}], "usage": {"prompt_tokens": "odd"}}, "max_tokens"),
    ({"status": "completed"}, "end_turn"),
    ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_tokens"),
    ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "refusal"),
    ({"status": "incomplete", "incomplete_details": {}}, "null"),
    ({"status": "ok"}, ""),
    ({"status": 200}, ""),
]


@pytest.mark.parametrize(("fields", "counted"), [*SAID, *CHAT])
def test_an_answer_in_a_file_says_why_it_ended(fields: dict[str, Any], counted: str) -> None:
    """It may be a message, a chat completion or a response; names of the Messages API are counted."""
    (result,) = file_results.decode_results([in_file(message(**fields))])
    assert (result.outcome, result.stop) == (Outcome.SUCCEEDED, counted)


def test_a_file_may_hold_lines_of_the_other_dialect() -> None:
    """Their reasons are counted the same way."""
    (result,) = file_results.decode_results([line(message(stop_reason="refusal"))])
    assert result.stop == "refusal"


def test_an_account_keeps_its_bounds_whatever_a_provider_writes() -> None:
    """Its receipt can always be written and read, and every answer is counted."""
    tally = Tally()
    for number in range(500):
        result = Result("n-1", Outcome.SUCCEEDED, model="m" * 999 if number % 2 else f"m-{number}", stop=f"s-{number}")
        tally.add(result, OutputKind.SUCCEEDED)
        tally.add(Result("n-1", Outcome.SUCCEEDED, model="m-0", stop=f"s-{number}"), OutputKind.SUCCEEDED)
    stops = tally.stops
    assert sum(sum(counted.values()) for counted in stops.values()) == 1000
    assert len(stops) <= 101
    assert max(map(len, stops.values())) <= 21
    assert stops["m-0"]["other"] > 400
    assert max(map(len, stops)) <= 200
    assert tally.tokens.keys() == stops.keys()
    total: Stops = {}
    for part in range(200):
        add_stops(total, {f"p-{part}": {"end_turn": 2}})
    assert (len(total), sum(counted["end_turn"] for counted in total.values())) == (101, 400)


def test_only_answers_are_counted() -> None:
    """The count is by model and reason; an answer without a reason is left out."""
    tally = Tally()
    for model, stop, outcome in [
        ("a", "end_turn", Outcome.SUCCEEDED),
        ("a", "end_turn", Outcome.SUCCEEDED),
        ("b", "refusal", Outcome.SUCCEEDED),
        ("b", "", Outcome.SUCCEEDED),
        ("b", "end_turn", Outcome.ERRORED),
    ]:
        kind = OutputKind.SUCCEEDED if outcome is Outcome.SUCCEEDED else OutputKind.FAILED
        tally.add(Result("n-1", outcome, model=model, stop=stop), kind)
    assert tally.stops == {"a": {"end_turn": 2}, "b": {"refusal": 1}}


def test_a_part_of_an_earlier_version_is_read() -> None:
    """It has no stop reasons."""
    part = msgspec.to_builtins(Part("w", NOW, {}, 0, 0, 0, {}, [], None))
    del part["stop_reasons"]
    assert msgspec.convert(part, Part).stop_reasons == {}


def test_incomplete_answers_are_reported_with_what_to_do() -> None:
    """One line covers all models; then comes the advice for each reason."""
    stops: Stops = {}
    count_stop(stops, "a", "max_tokens", 1200)
    count_stop(stops, "b", "max_tokens", 4)
    count_stop(stops, "b", "refusal")
    count_stop(stops, "b", "end_turn", 10)
    count_stop(stops, "b", "tool_use", 10)
    first, where, *advice = unfinished(stops)
    assert first == "1,204 answers were cut off at max_tokens; 1 answer was refused by the model (refusal)."
    assert "billed" in where
    assert [words.split(":")[0] for words in advice] == ["Cut off", "Refused"]


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "tool_use"])
def test_complete_answers_are_not_reported(reason: str) -> None:
    """Messages are kept short."""
    assert unfinished({"a": {reason: 3}}) == []
    assert unfinished({}) == []


def test_unknown_reasons_are_named() -> None:
    """Some are named; the receipt has all."""
    (sentence, _) = unfinished({"a": {"null": 2, "e": 1, "d": 1, "c": 1}})
    assert sentence == "5 answers ended for other reasons (c, d, e, …)."
