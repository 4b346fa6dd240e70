"""Which step takes a gateway from the revision it holds towards the newest one, and how it is cut into payloads. Pure.

Items carry whole values, so a delta may be of any range that covers what is held. One that does not fit into one
message ends at an earlier revision, and the next goes on from there. A whole, and a single revision that is too large
for one message, come in parts: ranges of keys, a few at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from contract.desired import Item

PART_BYTES = 250_000
"""JSON of one message's items: with its envelope it travels even if it does not compress, and is decoded in no time."""

PART_ITEMS = 1000

UNDER_WAY = 32
"""Messages that a gateway has not answered: parts of one step, or deltas one on top of the other."""

PATIENCE_S = 10.0
"""How long a step may stay unanswered before it is sent again."""

PARTS_PATIENCE_S = 30.0
"""The same for parts: a gateway takes several before it says so, and a busy one takes its time."""

Form = Literal["delta", "snapshot"]
Key = tuple[str, str]
"""(kind, id) of an item."""


@dataclass
class Load:
    """A step that is sent in parts. `starts`: the first key of each. `held`: what the gateway held when it began."""

    form: Form
    base: int
    revision: int
    held: int
    starts: list[Key]
    sent: int = 0

    @property
    def parts(self) -> int:
        """How many there are."""
        return len(self.starts)

    def range(self, part: int) -> tuple[Key, Key | None]:
        """The keys of a part (from 1): from, and up to before; None: to the end."""
        return self.starts[part - 1], self.starts[part] if part < self.parts else None


@dataclass
class Known:
    """What is known of one gateway: what it said that it holds, and what was sent to it.

    `received`: (revision, parts) of a step in parts, as it said. `stalled`: it held no more at its last word than
    before, although something was on its way that builds on more.
    """

    site: str
    held: int = 0
    base: int = -1
    sent: int = 0
    sent_at: float = 0.0
    received: tuple[int, int] = (0, 0)
    stalled: bool = False
    load: Load | None = None
    unanswered: list[int] = field(default_factory=list)

    def heard(self, held: int, received: tuple[int, int], *, born: bool) -> None:
        """It said what it holds. `born`: on a new connection; what was under way on the one before may be lost."""
        self.stalled = held <= self.held and self.base > held
        self.held, self.received = held, received
        self.unanswered = [revision for revision in self.unanswered if revision > held]
        if self.load is not None and self.load.held != held:
            self.load = None
        if born:
            self.forget()

    def forget(self) -> None:
        """Nothing counts as sent but what it confirmed."""
        self.sent = 0
        self.unanswered = []
        if self.load is not None:
            self.load.sent = self.confirmed

    @property
    def confirmed(self) -> int:
        """How many parts of the load under way have come to it."""
        if self.load is None or self.received[0] != self.load.revision:
            return 0
        return min(self.received[1], self.load.parts)


class Step(NamedTuple):
    """What to send. `leap`: the gateway holds more than the hub ever had; go beyond that first."""

    form: Form
    base: int
    leap: bool = False


def next_step(known: Known, current: int, now: float, *, floor: int = 0) -> Step | None:
    """What to send to a gateway when the newest revision is `current` (monotonic seconds), or None.

    `floor`: no delta builds on an older revision than this.

    A change is sent at once, on top of what is under way: messages keep their order, and if one of them is lost the
    gateway says what it holds, which is less than the base of what was sent.
    """
    forgotten = _forgotten(known, now)
    if known.held > current:
        return Step("snapshot", 0, leap=True) if forgotten else None
    if known.held == current or (known.sent >= current and not forgotten):
        return None
    if known.held < known.sent and not forgotten:
        return Step("delta", known.sent) if len(known.unanswered) < UNDER_WAY else None
    return Step("delta", known.held) if known.held > 0 and known.held >= floor else Step("snapshot", 0)


def next_parts(known: Known, load: Load, now: float) -> range:
    """The parts to send next: a few beyond those that have come, again from there if nothing is heard for long."""
    confirmed = known.confirmed
    if load.sent > confirmed and now - known.sent_at >= PARTS_PATIENCE_S:
        load.sent = confirmed
    load.sent = max(load.sent, confirmed)
    return range(load.sent + 1, min(confirmed + UNDER_WAY, load.parts) + 1)


class Changed(NamedTuple):
    """An item, and the revision in which it changed last."""

    revision: int
    item: Item


def overgrown(items: Sequence[Item]) -> bool:
    """Whether a part holds clearly more than it was cut for: its range has grown since.

    One item alone is never too many: no cut makes it smaller.
    """
    if len(items) > 2 * PART_ITEMS:
        return True
    return sum(len(msgspec.json.encode(item)) for item in items[:-1]) > 2 * PART_BYTES


def fitting(changed: Sequence[Changed], current: int, *, more: bool) -> tuple[int, list[Item]] | None:
    """(revision, items): as many whole revisions as fit into one message; None if not even the first does.

    `changed`: by revision; `more`: there are others after them.
    """
    room = PART_BYTES
    for place, (revision, item) in enumerate(changed):
        room -= len(msgspec.json.encode(item)) + 1
        if room < 0 or place >= PART_ITEMS:
            return _before(changed, revision)
    return _before(changed, changed[-1].revision) if more else (current, [item for _, item in changed])


def cut(sizes: Sequence[int]) -> list[int]:
    """How many items go into each message, one after the other, by the bytes of their JSON."""
    counts: list[int] = []
    room = 0
    for size in sizes:
        if not counts or size > room or counts[-1] >= PART_ITEMS:
            counts.append(0)
            room = PART_BYTES
        counts[-1] += 1
        room -= size
    return counts


def _before(changed: Sequence[Changed], revision: int) -> tuple[int, list[Item]] | None:
    whole = [one for one in changed if one.revision < revision]
    return (whole[-1].revision, [item for _, item in whole]) if whole else None


def _forgotten(known: Known, now: float) -> bool:
    """Whether what was sent last has to be sent again: unanswered for long, or the gateway never had its base."""
    return known.sent == 0 or now - known.sent_at >= PATIENCE_S or known.stalled
