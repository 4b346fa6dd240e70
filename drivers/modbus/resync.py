"""Telling a late answer from the right one on a line without transaction numbers. Pure; `now` is monotonic seconds.

A unit answers in the order in which it was asked. After a silence its answer may still come, at any time, and an answer
of the same length to a later question would look the same. So a unit in doubt is asked something whose answer has a
length that nothing outstanding has: when that comes, everything before it has come or never will. A unit that can be
asked in one way only is left alone for its worst latency first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from drivers.modbus.frames import body_size
from drivers.modbus.plan import Block

FORGOTTEN_S = 60.0
"""No serial unit answers after this."""


class Ask(NamedTuple):
    """A read. `whole`: the block that it reads, None if it reads only a part of one (its values are not used)."""

    fc: int
    start: int
    size: int
    whole: Block | None

    @property
    def shape(self) -> tuple[int, int]:
        """What is known of its answer in advance: function code and length."""
        return self.fc, body_size(self.fc, self.size)


class Unanswered:
    """What one unit was asked and has not answered yet. `latency_s`: its worst latency."""

    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self._asked: list[tuple[tuple[int, int], float]] = []

    def missed(self, ask: Ask, now: float) -> None:
        """The question asked at `now` has seen no answer."""
        self._asked.append((ask.shape, now))

    def settled(self) -> None:
        """An answer has come that can be no other's."""
        self._asked.clear()

    def late(self, fc: int, body: int, now: float) -> float | None:
        """A frame came that nobody waited for: how late it is, if it answers something. Its latency is learned."""
        for index, (shape, asked) in enumerate(self._asked):
            if shape == (fc, body):
                # The unit works in order: what was asked before this has been answered, or never will be.
                del self._asked[: index + 1]
                self.latency_s = max(self.latency_s, 1.5 * (now - asked))
                return now - asked
        return None

    def in_doubt(self, now: float) -> bool:
        """Whether an answer is still outstanding."""
        self._asked = [(shape, at) for shape, at in self._asked if now - at < FORGOTTEN_S]
        return bool(self._asked)

    def next(self, block: Block, blocks: Sequence[Block], now: float) -> Ask | None:
        """What to ask now instead of `block`; None: nothing that could be told apart, not before `clear_at`."""
        wanted = Ask(block.fc, block.start, block.size, block)
        if not self.in_doubt(now):
            return wanted
        outstanding = {shape for shape, _ in self._asked}
        for ask in (wanted, *_alternatives(blocks)):
            if ask.shape not in outstanding:
                return ask
        return wanted if now >= self.clear_at() else None

    def can_tell(self, ask: Ask, now: float) -> bool:
        """Whether the answer to `ask` could not be mistaken for an outstanding one."""
        return not self.in_doubt(now) or ask.shape not in {shape for shape, _ in self._asked}

    def clear_at(self) -> float:
        """When the last outstanding answer can no longer come, as far as the unit's latency is known."""
        return max((at for _, at in self._asked), default=0.0) + self.latency_s


def _alternatives(blocks: Sequence[Block]) -> Iterator[Ask]:
    """Whole blocks first, because their values can be used; then parts that end where a value ends; then any part."""
    for block in blocks:
        yield Ask(block.fc, block.start, block.size, block)
    for block in blocks:
        for end in sorted({span.end for span in block.spans}):
            yield Ask(block.fc, block.start, end - block.start, None)
    for block in blocks:
        for size in range(1, block.size):
            yield Ask(block.fc, block.start, size, None)
