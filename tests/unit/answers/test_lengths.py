"""Lengths of answers are counted in few classes, and the counts of batches add up."""

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from conveyor.answers.lengths import CLASS_TOKENS, LINEAR_UP_TO, Lengths, add_lengths, class_of, count_length
from conveyor.domain.outcome import Error, Outcome, OutputKind, Result
from conveyor.ledger.part import Part
from conveyor.money.usage import ModelUsage, Usage
from conveyor.split.tally import Tally
from tests.support.examples import NOW

TOKENS = st.integers(0, 10**9) | st.integers(0, 2 * LINEAR_UP_TO)
ANSWERS = st.lists(st.tuples(st.sampled_from(["a", "b"]), TOKENS, st.booleans()))


def lengths_of(answers: list[tuple[str, int, bool]]) -> dict[str, Lengths]:
    """Count answers, given as model, tokens and whether they were cut off."""
    total: dict[str, Lengths] = {}
    for model, tokens, is_cut_off in answers:
        count_length(total.setdefault(model, Lengths()), tokens, is_cut_off=is_cut_off)
    return total


@given(ANSWERS, ANSWERS)
def test_the_lengths_of_two_batches_are_those_of_their_answers_together(
    first: list[tuple[str, int, bool]], second: list[tuple[str, int, bool]]
) -> None:
    """Each answer counts once, and so do its tokens."""
    total = lengths_of(first)
    add_lengths(total, lengths_of(second))
    assert total == lengths_of(first + second)
    for model, lengths in total.items():
        of_model = [(tokens, cut) for name, tokens, cut in first + second if name == model]
        assert sum(lengths.answers.values()) == len(of_model)
        assert sum(lengths.cut_off.values()) == sum(cut for _, cut in of_model)
        assert lengths.tokens == sum(tokens for tokens, _ in of_model)
        assert all(lengths.answers[least] >= number for least, number in lengths.cut_off.items())
    assert msgspec.json.decode(msgspec.json.encode(total), type=dict[str, Lengths]) == total


@given(TOKENS, TOKENS)
def test_a_longer_answer_is_never_in_a_lower_class(one: int, other: int) -> None:
    """The class of an answer is at most its tokens, and no class begins between the two."""
    low, high = sorted((one, other))
    assert class_of(low) <= class_of(high)
    assert class_of(low) <= low
    assert class_of(class_of(low)) == class_of(low)


def test_there_are_fewer_than_a_hundred_classes_up_to_a_billion_tokens() -> None:
    """A receipt cannot grow with what a provider counts. Each class is as wide as the docs say."""
    linear, doubled = range(0, LINEAR_UP_TO, CLASS_TOKENS), [1 << bits for bits in range(11, 30)]
    classes = [*linear, *doubled]
    ends = [least + CLASS_TOKENS - 1 for least in linear] + [2 * least - 1 for least in doubled]
    assert [class_of(least) for least in classes] == [class_of(end) for end in ends] == classes
    assert all(end + 1 == least for end, (_, least) in zip(ends, pairwise(classes), strict=False))
    assert (len(classes), ends[-1] > 10**9) == (83, True)


def test_answers_are_counted_by_model_and_those_that_reached_max_tokens_apart() -> None:
    """Failures have no length, and a model that was only asked for advice has no answer."""
    tally = Tally()
    advice = (ModelUsage("adviser", Usage(5, 70)),)
    for model, tokens, stop in [("a", 10, "end_turn"), ("a", 4_000, "max_tokens"), ("b", 33, "")]:
        result = Result("n-1", Outcome.SUCCEEDED, model=model, usage=Usage(1, tokens), stop=stop, also_used=advice)
        tally.add(result, OutputKind.SUCCEEDED)
    tally.add(Result("n-1", Outcome.ERRORED, error=Error("api_error", "")), OutputKind.RETRYABLE, 4)
    assert tally.lengths == {"a": Lengths({0: 1, 2048: 1}, {2048: 1}, 4_010), "b": Lengths({32: 1}, {}, 33)}


def test_no_more_models_are_told_apart_than_for_stop_reasons() -> None:
    """Neither in a batch nor in a receipt."""
    tally, total = Tally(), dict[str, Lengths]()
    for number in range(300):
        tally.add(Result("n-1", Outcome.SUCCEEDED, model=f"m-{number}", stop="end_turn"), OutputKind.SUCCEEDED)
        add_lengths(total, {f"m-{number}": Lengths({0: 1}, {}, 7)})
    assert tally.lengths.keys() == tally.stops.keys() == total.keys()
    assert total["other"] == Lengths({0: 200}, {}, 1_400)


def test_a_part_of_an_earlier_version_has_no_lengths() -> None:
    """It is read all the same."""
    part = msgspec.to_builtins(Part("w", NOW, {}, 0, 0, 0, {}, [], None))
    del part["lengths"]
    assert msgspec.convert(part, Part).lengths == {}
