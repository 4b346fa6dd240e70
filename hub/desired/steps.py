"""Which step takes a gateway from the revision it holds to the newest one, and how it is cut into payloads. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from contract.desired import Desired, Item

PART_BYTES = 600_000
"""JSON of one part's items: with its envelope it travels even if it does not compress."""

PARTS_LIMIT = 1000

PATIENCE_S = 10.0
"""How long a step may stay unanswered before it is sent again."""

DELTA_ITEMS = 5000
"""More changes than this travel as a snapshot, which may come in parts."""


@dataclass
class Known:
    """What is known of one gateway: what it said that it holds, and the last step that was sent to it."""

    site: str
    held: int = 0
    base: int = -1
    sent: int = 0
    sent_at: float = 0.0


class Step(NamedTuple):
    """What to send. `leap`: the gateway holds more than the hub ever had; go beyond that first."""

    form: Literal["delta", "snapshot"]
    base: int
    leap: bool = False


def next_step(known: Known, current: int, now: float) -> Step | None:
    """What to send to a gateway when the newest revision is `current` (monotonic seconds), or None.

    A change is sent at once, on top of what is under way: messages keep their order, and if one of them is lost the
    gateway says what it holds, which is less than the base of what was sent.
    """
    if known.held > current:
        return Step("snapshot", 0, leap=True) if _forgotten(known, now) else None
    if known.held == current:
        return None
    if known.sent == current and not _forgotten(known, now):
        return None
    under_way = known.held < known.sent < current and not _forgotten(known, now)
    base = known.sent if under_way else known.held
    return Step("snapshot", 0) if base == 0 else Step("delta", base)


def parts(form: Literal["delta", "snapshot"], base: int, revision: int, items: Sequence[Item]) -> list[Desired]:
    """The step as messages, each small enough to travel. `ValueError` if even a thousand are too few."""
    bundles = _bundles(items)
    if len(bundles) > PARTS_LIMIT:
        raise ValueError(f"{len(bundles)} parts, at most {PARTS_LIMIT} are possible")
    return [
        Desired(form=form, revision=revision, base=base, items=bundle, part=place, parts=len(bundles))
        for place, bundle in enumerate(bundles, 1)
    ]


def _forgotten(known: Known, now: float) -> bool:
    """Whether what was sent last has to be sent again: unanswered for long, or the gateway never had its base."""
    if known.sent == 0 or now - known.sent_at >= PATIENCE_S:
        return True
    return known.base > known.held


def _bundles(items: Sequence[Item]) -> list[list[Item]]:
    bundles: list[list[Item]] = [[]]
    room = PART_BYTES
    for item in items:
        size = len(msgspec.json.encode(item)) + 1
        if size > room and bundles[-1]:
            bundles.append([])
            room = PART_BYTES
        bundles[-1].append(item)
        room -= size
    return bundles
