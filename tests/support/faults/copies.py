"""One history for many crashes: in a copy of the process for each, the function crashes and the history goes on.

A copy is made right before the function that crashes, so what came before is played once for all crashes, not once for
each. It has all that the process has: AWS and the provider in memory, the clock, and what a test keeps in variables.
"""

import gc
import os
import signal
import sys
import traceback
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tests.support.faults.taps import Point, Taps

LONGEST = 300
"""Seconds after which a copy is killed."""


class _AllPlayed(BaseException):  # not an Exception, so that no handler catches it
    """The rest of the history would be the same as without a crash."""


class Copies(Taps):
    """Taps of a history that is copied before each function in which there are points."""

    def __init__(self, whole: Taps, points: Iterable[Point]) -> None:
        """Set the points, of the history without a crash, and which functions make its calls."""
        super().__init__(count_reads=whole.count_reads)
        self._functions = sorted(whole.first)
        self._left = list(points)
        self.told: int | None = None
        """Of a copy: where it writes what went wrong."""

    def begin(self) -> None:
        """Copy the process for each point in the function that starts."""
        super().begin()
        if self.told is not None:
            return
        here = [point for point in self._left if self._function_of(point.number) == len(self.seen)]
        for point in here:
            self._left.remove(point)
            if self._copied(point):
                return
        if not self._left:
            raise _AllPlayed

    def finish(self) -> None:
        """Check that the history got to its points, or its point if it is a copy."""
        if self.told is None:
            assert not self._left, f"no function had {self._left}"
        else:
            assert self.crashed, "the call of the point happened only once"

    def tell(self, error: BaseException | None) -> None:
        """Tell the process of which this is a copy what went wrong."""
        assert self.told is not None
        os.write(self.told, "".join(traceback.format_exception(error)).encode())

    def _function_of(self, number: int) -> int:
        """Return the number of the first call of the function that makes this call."""
        return self._functions[bisect_right(self._functions, number) - 1]

    def _copied(self, point: Point) -> bool:
        """Copy the process and return whether this is the copy. Raises AssertionError if the copy failed."""
        ours, theirs = os.pipe()
        with warnings.catch_warnings():
            # The other threads of a test process only wait for the one that started them.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            copy = os.fork()
        if not copy:
            os.close(ours)
            gc.disable()  # a copy ends before it would pay
            signal.alarm(LONGEST)
            self.told, self.points = theirs, {point}
            sys.unraisablehook = lambda unraisable: self.tell(unraisable.exc_value)
            return True
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            told = pipe.read()
        _, status = os.waitpid(copy, 0)
        assert (told, status) == ("", 0), f"After the crash at {point}: {told}"
        return False


def crash_at_each(play: Callable[[Taps], object], whole: Taps, points: Iterable[Point]) -> None:
    """Play a history with a crash at each of some points, of which `play` checks the ending.

    `whole` has the calls of the history without a crash. Raises AssertionError with the traceback of the first copy in
    which something went wrong, or if a point was not reached.
    """
    taps = Copies(whole, points)
    with _unchanged_memory():
        try:
            play(taps)
            taps.finish()
        except _AllPlayed:
            pass
        except BaseException as error:
            if taps.told is None:
                raise
            taps.tell(error)
        finally:
            if taps.told is not None:
                os._exit(0)


@contextmanager
def _unchanged_memory() -> Iterator[None]:
    """Keep the collector of garbage from what is there already: copies share memory as long as nobody changes it."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
