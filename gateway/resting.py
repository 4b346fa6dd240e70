"""Long work on a thread beside the decisions: done in bits, with rests between, so that a door waits for a bit at most.

Python runs one thread at a time. Handing over takes a moment each time that a decision needs its turn, and a decision
needs several; so a thread that is always busy makes every card wait several times. One that rests five sixths of the
time is in the way of one card in six, and for a bit only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

BIT_S = 0.0005
"""How long a bit of work may take, of this thread's own processor time."""

RESTS = 5
"""A rest is so many times as long as the bit before it."""

REST_AT_MOST_S = 0.01


_NEVER = threading.Event()


def rested(seconds: float) -> None:
    """Rests. Not by `time.sleep`: that ends at a moment, and fails where the machine's clock is led astray."""
    _NEVER.wait(seconds)


def in_bits(things: Iterable[T], *, rest: Callable[[float], None] = rested) -> Iterator[T]:
    """Each of `things`; whenever what was done with them has taken a bit's time, a rest comes first. Few need none."""
    begun = time.thread_time()
    for thing in things:
        yield thing
        took = time.thread_time() - begun
        if took >= BIT_S:
            rest(min(took * RESTS, REST_AT_MOST_S))
            begun = time.thread_time()
