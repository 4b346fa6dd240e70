"""Values for the registers of a Modbus product: extremes, signs, labels, marks, and what each must read as."""

from __future__ import annotations

import math

from contract.readings import Value
from drivers.modbus.product import Command, RegisterSource, told_factors
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import WIDTHS

Case = tuple[Value, Value]
"""What the simulated device says, and what must be read (None: bad)."""

_FLOATS = (0.0, -1.5, 1.0, 3.25, 123456.5, -0.03125)


def raws_of(profile: Profile) -> dict[str, int]:
    """A raw value for each factor that the device itself holds: not the one at which nothing would show."""
    return {
        name: list(factor.values)[-1] if factor.values else 40
        for name, factor in profile.multipliers.items()
        if factor.source is not None
    }


def strange_raws(profile: Profile) -> dict[str, int]:
    """Raw values of factors that stand for nothing."""
    return {name: 99 if factor.values else 0 for name, factor in profile.multipliers.items()}


def register_rounds(profile: Profile) -> list[tuple[dict[str, Value], dict[str, Value]]]:
    """Rounds of values: in each, every point has its next one."""
    cases = {point.id: _cases(profile, point) for point in profile.points.values()}
    rounds = []
    for turn in range(max(map(len, cases.values()))):
        chosen = {name: each[turn % len(each)] for name, each in cases.items()}
        rounds.append(
            ({name: case[0] for name, case in chosen.items()}, {name: case[1] for name, case in chosen.items()})
        )
    return rounds


def commands_of(profile: Profile) -> list[tuple[str, Value, str | float | None]]:
    """Everything that a product can be told: the command, what is asked for, and what the device understands."""
    found: list[tuple[str, Value, str | float | None]] = []
    for name, command in profile.commands.items():
        assert isinstance(command, Command)
        if command.value is not None:
            found.append((name, True, None))
        elif command.enum:
            found += [(name, label, label) for label in command.enum]
        else:
            low = 0.0 if command.low is None else command.low
            high = 100.0 if command.high is None else command.high
            steps = [round((value - command.offset) / command.scale) for value in (low, (low + high) / 2, high)]
            asked = [min(high, max(low, step * command.scale + command.offset)) for step in steps]
            found += [(name, value, step * command.scale) for value, step in zip(asked, steps, strict=True)]
    return found


def _cases(profile: Profile, point: Point) -> list[Case]:
    source = point.source
    assert isinstance(source, RegisterSource)
    factor = next(
        (
            raws_of(profile)[name]
            for name, told in told_factors(profile).items()
            if (told.fc, told.address) == (source.fc, source.address)
        ),
        None,
    )
    if factor is not None:
        # A factor that is a point as well says what it is, whatever the device is told.
        return [(None, source.enum[factor] if source.enum else factor * source.scale)]
    if point.type == "flag":
        return [(True, True), (False, False)]
    if source.enum:
        strange = next(code for code in range(0x7000) if code not in source.enum and code not in source.invalid)
        return [(label, label) for label in source.enum.values()] + [(strange, None)]
    cases: list[Case] = [_number(profile, point, source, raw) for raw in [*_raws(source), _plausible(point, source)]]
    if source.invalid:
        cases.append((None, None))
    if source.type in {"f32", "f64"}:
        cases.append((math.nan, None))
    return cases


def _number(profile: Profile, point: Point, source: RegisterSource, raw: float) -> Case:
    raws = raws_of(profile)
    value = raw * source.scale + source.offset
    for name in source.times:
        factor = profile.multipliers[name]
        if factor.source is None:
            continue  # the site says 1
        value *= factor.values[raws[name]] if factor.values else raws[name]
    beyond = (point.low is not None and value < point.low - 1e-9) or (
        point.high is not None and value > point.high + 1e-9
    )
    return value, None if beyond else value


def _plausible(point: Point, source: RegisterSource) -> float:
    """A raw number in the middle of what the point may be."""
    low = 0.0 if point.low is None else point.low
    high = low + 2 * abs(source.scale) if point.high is None else point.high
    if source.type in {"f32", "f64"}:
        return 0.5
    return float(round(((low + high) / 2 - source.offset) / source.scale))


def _raws(source: RegisterSource) -> list[float]:
    if source.type in {"f32", "f64"}:
        return list(_FLOATS)
    bits = source.mask.bit_count() if source.mask is not None else min(16 * WIDTHS[source.type], 53)
    if source.type.startswith("i"):
        high = (1 << bits - 1) - 1
        wanted = [0, 1, -1, high, -high - 1, high // 3]
    else:
        high = (1 << bits) - 1
        wanted = [0, 1, high, high - 1, high // 3]
    return [float(raw) for raw in wanted if raw not in source.invalid]
