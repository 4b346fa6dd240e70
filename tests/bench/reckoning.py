"""Whether anything was lost, doubled, stale or wrong between slave.c and what a gateway kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from contract.readings import Column, Value
from tests.bench.slaves import AT_ONCE, FIRST, REGISTERS, bump


class Reckoning(NamedTuple):
    """`lost`: changes that the slave made and answered and nobody kept; `wrong`: values that it never had then."""

    kept: int
    lost: int
    wrong: int


def reckon(columns: Iterable[Column], reads: dict[str, tuple[int, int]]) -> Reckoning:
    """Compares every point's values with what its register went through. `reads`: device → its unit and its reads.

    The last read of a unit may be on its way when everything ends; it is not counted as lost.
    """
    seen: dict[str, list[Value]] = {}
    wrong = 0
    for column in columns:
        seen.setdefault(column.point, []).extend(column.values)
        wrong += sum(value is None for value in column.values)
    kept = sum(len(values) for values in seen.values())
    lost = 0
    for device, (unit, count) in reads.items():
        for name, went in _histories(unit, count):
            values = [value for value in seen.pop(f"{device}.{name}", []) if value is not None]
            at = 0
            for value in values:
                # A value that stays is told again once in a while: the same place of its history.
                if at > 0 and value == went[at - 1] and name != "reads":
                    continue
                ahead = next((place for place in range(at, len(went)) if went[place] == value), None)
                if ahead is None:
                    wrong += 1
                    continue
                lost += ahead - at
                at = ahead + 1
            lost += max(0, len(went) - at - 1)
    wrong += sum(len(values) for values in seen.values())
    return Reckoning(kept, lost, wrong)


def _histories(unit: int, reads: int) -> Iterable[tuple[str, list[int]]]:
    """What each point went through, beginning with the first read's value."""
    yield "reads", list(range(1, reads + 1))
    for at in range(FIRST, REGISTERS):
        begin, end = bump(unit, at, min(reads, 1)), bump(unit, at, reads)
        steps = (end - begin) & 0xFFFF
        yield f"r{at}", [(begin + step) & 0xFFFF for step in range(steps + 1)] if reads else []


CHANGES_A_READ = AT_ONCE + 1
"""Values of a unit that every read finds changed."""
