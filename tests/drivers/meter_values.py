"""Values for the items of a DL/T 645 or CJ/T 188 meter: extremes, signs, labels, gaps, and what each must read as."""

from __future__ import annotations

from contract.readings import Value
from drivers.meters.product import FieldSource, MeterCommand
from drivers.profiles.profile import Point, Profile

ADDRESS = "398192000337"
PASSWORD_FILE = "meter.password"

Case = tuple[Value, Value]
"""What the simulated meter says, and what must be read (None: bad)."""


def meter_rounds(profile: Profile) -> list[tuple[dict[str, Value], dict[str, Value]]]:
    """Rounds of values: in each, every point has its next one."""
    cases = {point.id: _cases(profile, point) for point in profile.points.values()}
    rounds = []
    for turn in range(max(map(len, cases.values()))):
        chosen = {name: each[turn % len(each)] for name, each in cases.items()}
        rounds.append(
            ({name: case[0] for name, case in chosen.items()}, {name: case[1] for name, case in chosen.items()})
        )
    return rounds


def meter_commands(profile: Profile) -> list[tuple[str, Value, str | float | None]]:
    """Everything that a meter can be told: the command, what is asked for, and what the meter understands."""
    found: list[tuple[str, Value, str | float | None]] = []
    for name, command in profile.commands.items():
        assert isinstance(command, MeterCommand)
        found += [(name, label, label) for label in command.enum] if command.enum else [(name, True, None)]
    return found


def _cases(profile: Profile, point: Point) -> list[Case]:
    source = point.source
    assert isinstance(source, FieldSource)
    if source.item is None:
        return [(None, ADDRESS.zfill(12 if profile.protocol == "dlt645" else 14))]
    if point.id in profile.multipliers:
        return [(1, 1)]  # what it does to the others has a test of its own
    match source.form:
        case "bcd":
            return _numbers(point, source)
        case "binary" if source.bit is not None:
            return [(True, True), (False, False)]
        case "binary":
            most = (1 << 8 * source.size) - 2 if source.mask is None else source.mask // (source.mask & -source.mask)
            strange = [code for code in range(most + 1) if code not in source.enum]
            return [(label, label) for label in source.enum.values()] + [(code, None) for code in strange[:1]]
        case "clock":
            return [(text, text) for text in ("2026-02-03T04:05:06", "2099-12-31T23:59:59")]
        case _:
            return [(text, text) for text in ("9" * (2 * source.size), "1".zfill(2 * source.size))]


def _numbers(point: Point, source: FieldSource) -> list[Case]:
    last = 10 ** (2 * source.size) * (8 if source.signed else 10) // 10 - 1
    raws = [0, 1, last, last // 3, *([-1, -last] if source.signed else [])]
    cases: list[Case] = [(None, None)]
    for raw in raws:
        value = raw / 10**source.decimals
        fits = (point.low is None or value >= point.low) and (point.high is None or value <= point.high)
        cases.append((value, value if fits else None))
    low, high = point.low or 0.0, point.high if point.high is not None else last / 10**source.decimals
    middle = round((low + min(high, last / 10**source.decimals)) / 2, source.decimals)
    return [*cases, (middle, middle)]
