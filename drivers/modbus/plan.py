"""Which registers to read together. Pure.

A block is one request: one function code, consecutive addresses, at most the product's limits. Holes are read along
where the product allows it (`gap`). Urgent groups are planned first; whatever lies in their blocks rides along.
Source: Modbus application protocol V1.1b3, sections 6.1 to 6.4 (2000 bits, 125 registers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from drivers.modbus.product import RegisterSource, told_factors
from drivers.profiles.profile import Profile
from drivers.profiles.words import Group

MULTIPLIER = "×"
"""What a multiplier's key begins with: no point is called so."""

GROUPS: tuple[Group, ...] = ("alarm", "normal", "meter")
"""Most urgent first."""


class Span(NamedTuple):
    """Registers (or bits) that belong together: they are never split between two reads. `key`: the point's id."""

    key: str
    fc: int
    address: int
    width: int
    group: Group

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.width


class Block(NamedTuple):
    """One read: `size` registers (or bits) from `start`, and the spans in it."""

    fc: int
    start: int
    size: int
    group: Group
    spans: tuple[Span, ...]

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.start + self.size

    @property
    def first(self) -> bool:
        """Whether it holds a multiplier, without which other values cannot be understood."""
        return any(span.key.startswith(MULTIPLIER) for span in self.spans)


class Limits(NamedTuple):
    """What one read may ask for; `gap`: how many registers (or bits) in a row may be read for nothing."""

    registers: int = 125
    bits: int = 2000
    gap: int = 0

    def of(self, fc: int) -> int:
        """The most that one read with this function code may ask for."""
        return self.bits if fc <= 2 else self.registers


def spans_of(profile: Profile) -> list[Span]:
    """Everything that a product's points and multipliers need read; a multiplier is among the least urgent."""
    spans = [
        Span(point.id, source.fc, source.address, source.width, point.group)
        for point in profile.points.values()
        if isinstance(source := point.source, RegisterSource)
    ]
    spans += [
        Span(MULTIPLIER + name, source.fc, source.address, source.width, "meter")
        for name, source in told_factors(profile).items()
    ]
    return spans


def plan(spans: Iterable[Span], limits: Limits) -> list[Block]:
    """The fewest reads for each group, in order of urgency."""
    left = sorted(spans, key=lambda span: (span.fc, span.address, span.width))
    blocks: list[Block] = []
    for group in GROUPS:
        mine = [span for span in left if span.group == group]
        blocks += _ride_along(_pack(mine, group, limits), left)
        covered = {span for block in blocks for span in block.spans}
        left = [span for span in left if span not in covered]
    return blocks


def _pack(spans: Sequence[Span], group: Group, limits: Limits) -> list[Block]:
    """Greedy from the left, which is optimal for spans that do not overlap partly."""
    blocks: list[Block] = []
    run: list[Span] = []
    start = end = 0
    for span in spans:
        fits = (
            bool(run)
            and span.fc == run[0].fc
            and span.address - end <= limits.gap
            and max(end, span.end) - start <= limits.of(span.fc)
        )
        if not fits:
            if run:
                blocks.append(Block(run[0].fc, start, end - start, group, tuple(run)))
            run, start, end = [], span.address, span.address
        run.append(span)
        end = max(end, span.end)
    if run:
        blocks.append(Block(run[0].fc, start, end - start, group, tuple(run)))
    return blocks


def _ride_along(blocks: Iterable[Block], spans: Sequence[Span]) -> list[Block]:
    """Each block with every span that lies inside it, whatever its group."""
    return [
        block._replace(
            spans=tuple(
                span for span in spans if span.fc == block.fc and block.start <= span.address and span.end <= block.end
            )
        )
        for block in blocks
    ]


def split(block: Block) -> list[Block]:
    """Smaller reads for a block that the device refused: first without its holes, then address by address.

    An empty list: it cannot be smaller, what is refused is the point itself.
    """
    parts = _pack(block.spans, block.group, Limits(registers=block.size, bits=block.size, gap=0))
    if len(parts) <= 1 and (not parts or parts[0].size == block.size):
        parts = _pack(block.spans, block.group, Limits(registers=1, bits=1, gap=0))
    return parts if len(parts) > 1 or (parts and parts[0].size < block.size) else []
