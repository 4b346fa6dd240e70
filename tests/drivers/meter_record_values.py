"""Values for the records of an M-Bus meter, and what each must read as."""

from __future__ import annotations

from contract.readings import Value
from drivers.mbus.product import RecordSource
from drivers.profiles.profile import Point, Profile

Case = tuple[Value, Value]
"""What the simulated meter says, and what must be read (None: bad)."""

NUMBER = "02205100"
_ENDS = {"flow_temperature": 320.0, "return_temperature": 320.0, "temperature_difference": 320.0, "volume": 99999.999}
"""The highest that the simulated meter's records hold, where that is little."""


def record_rounds(profile: Profile) -> list[tuple[dict[str, Value], dict[str, Value]]]:
    """Rounds of values: in each, every point has its next one."""
    cases = {point.id: _cases(point) for point in profile.points.values()}
    rounds = []
    for turn in range(max(map(len, cases.values()))):
        chosen = {name: each[turn % len(each)] for name, each in cases.items()}
        rounds.append(
            ({name: case[0] for name, case in chosen.items()}, {name: case[1] for name, case in chosen.items()})
        )
    return rounds


def _cases(point: Point) -> list[Case]:
    source = point.source
    assert isinstance(source, RecordSource)
    if source.of == "identity":
        return [(NUMBER, NUMBER)]
    if source.bit is not None:
        return [(True, True), (False, False)]
    match source.quantity:
        case "date":
            return [(text, text) for text in ("2026-02-03", "2079-12-31")]
        case "date_time":
            return [(text, text) for text in ("2026-02-03T04:05:00", "2079-12-31T23:59:00")]
    low = point.low if point.low is not None else -12.5
    high = min(point.high if point.high is not None else 12345.75, _ENDS.get(source.quantity, 12345.75))
    inside: list[Value] = [low, high, (low + high) / 2, 0.25]
    strange = [] if point.high is None or point.high >= 320 else [(point.high + 1, None)]
    return [*((value, value) for value in inside), *strange, (None, None)]
