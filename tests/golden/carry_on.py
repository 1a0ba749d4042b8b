"""A run that a release has left goes on with the code of today."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conveyor.settings.tuning import TUNING
from tests.golden.kept import Kept, fill
from tests.golden.place import place
from tests.golden.recorder import first_settings, repeat
from tests.support.belt import Belt


@contextmanager
def left(kept: Kept) -> Iterator[Belt]:
    """Return the place as the release has left it: the bucket, the provider's batches, the clock."""
    with place(_allowed(kept.stack)) as (belt, bucket, _):
        fill(bucket, kept.objects)
        repeat(kept.calls, belt.provider)
        belt.provider.configure(**first_settings(**kept.provider))
        belt.set_clock(kept.moment)
        yield belt


def _allowed(stack: dict[str, str]) -> dict[str, str]:
    """Return settings of a stack as this release accepts them. Its bounds may be narrower; a run keeps what it has."""
    numbers = {name: TUNING[name.lower()] for name in stack if name.lower() in TUNING}
    return stack | {name: str(min(int(stack[name]), known.most)) for name, known in numbers.items()}


def event(belt: Belt, kept: Kept) -> dict[str, Any]:
    """Return the event of the drop, which may come again."""
    drop = belt.fact(kept.run, "run.json")["drop"]
    return belt.event_of(drop["key"], {"VersionId": drop["version"]}, drop["bytes"])


def go_on(belt: Belt, kept: Kept) -> dict[str, Any]:
    """Do what people do, go on in another execution, and return the final message.

    The old execution hands over its state, which the next one gets from `submit` as it is now.
    """
    for key, words in kept.people.items():
        belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=words.encode())
    belt.provider.configure(**kept.mended)
    number = kept.state["execution"]["number"] + 1
    handed = kept.state | {"execution": {"number": number, "events": 0}}
    belt.submit({"run": kept.run, "continue": handed})
    belt.go_on(kept.run, number)
    return belt.finish(kept.run)


def paid(belt: Belt) -> Counter[str]:
    """Return how often each range of requests was taken by the provider: by its first id on the wire."""
    return Counter(each["first_custom_id"] for each in belt.provider.stats()["batches"] if not each["failed"])


def of_drop(kept: Kept) -> bytes:
    """Return the bytes of the drop."""
    (found,) = [each.data for each in kept.objects if each.key == kept.drop]
    return found
