"""How values of points are said to people. Pure."""

from __future__ import annotations

from contract.readings import Value
from contract.speech import Speech
from drivers.profiles.profile import Point


def number(value: float | int) -> str:
    """Short, and never more digits than a person reads."""
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    return f"{value:.6g}" if 1e-4 <= abs(value) < 1e7 else f"{value:.4e}"


def value_of(point: Point, value: Value, say: Speech) -> str:
    """A point's value with its unit or its label; `—` for none."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    if isinstance(value, str):
        label = point.labels.get(value)
        return value if label is None else say.of(label)
    return f"{number(value)} {unit(point.unit)}".rstrip()


_UNITS = {"degC": "℃", "m3": "m³", "m3/h": "m³/h", "kWh": "kWh"}


def unit(short: str) -> str:
    """A unit as people write it."""
    return _UNITS.get(short, short)
