"""Values for the attributes of a DL/T 698.45 meter, and what each must read as."""

from __future__ import annotations

from contract.readings import Value
from drivers.dlt698.station import source_of
from drivers.profiles.profile import Point, Profile

Case = tuple[Value, Value]
"""What the simulated meter says, and what must be read (None: bad)."""


def object_rounds(profile: Profile) -> list[tuple[dict[str, Value], dict[str, Value]]]:
    """Rounds of values: in each, every point has its next one."""
    cases = {
        point.id: [(1, 1)] if point.id in profile.multipliers else _cases(point) for point in profile.points.values()
    }
    rounds = []
    for turn in range(max(map(len, cases.values()))):
        chosen = {name: each[turn % len(each)] for name, each in cases.items()}
        rounds.append(
            ({name: case[0] for name, case in chosen.items()}, {name: case[1] for name, case in chosen.items()})
        )
    return rounds


def _cases(point: Point) -> list[Case]:
    source = source_of(point)
    match source.form:
        case "clock":
            return [(text, text) for text in ("2026-02-03T04:05:06", "2099-12-31T23:59:59")]
        case "number":
            step = 10**-source.decimals
            low = point.low if point.low is not None else -12345 * step
            high = point.high if point.high is not None else 1234567 * step
            inside: list[Value] = [low, high, round((low + high) / 2, source.decimals)]
            strange = [] if point.high is None else [(round(high + 7 * step, source.decimals), None)]
            return [*((value, value) for value in inside), *strange, (None, None)]
        case _:
            return [(text, text) for text in ("000000000161", "999999999999")]
