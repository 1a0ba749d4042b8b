"""Reading several things at a time, in order, without more of them in memory than are read at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from threading import Thread


def read_ahead[T, R](read: Callable[[T], R], items: Iterable[T], most: int) -> Iterator[R]:
    """Yield what was read, in the order of the items. `most`: how many are read at the same time.

    Ctrl-C ends the program at once: it does not wait for reads under way.
    """
    reading: deque[Future[R]] = deque()
    for item in items:
        future = Future[R]()
        Thread(target=_run, args=(future, read, item), daemon=True).start()
        reading.append(future)
        if len(reading) == most:
            yield reading.popleft().result()
    while reading:
        yield reading.popleft().result()


def _run[T, R](future: Future[R], read: Callable[[T], R], item: T) -> None:
    try:
        future.set_result(read(item))
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)
