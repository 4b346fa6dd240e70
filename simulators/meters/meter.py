"""What every simulated meter knows: its device, its number, its clock, the items of its profile. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from contract.readings import Value
from drivers.factors import times_of
from drivers.meters.framing import Frames
from drivers.meters.items import plan
from drivers.meters.product import MeterCommand, MeterFormat, meter_of
from simulators.actions import CommandGiven
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.meters import fields

CLOCK_OFF = timedelta(hours=2)
"""How far the clock of a meter with the fault `clock-off` is ahead."""

FOLLOWS = {"supply": "supply_state", "valve_control": "valve"}
"""Which point shows what a command did."""

SHOWN = {"trip": "open", "close": "closed", "open": "open"}


class SimMeter(Protocol):
    """One meter on a line, seen from the line."""

    device: SimDevice

    def answer(self, frame: bytes, now: datetime) -> bytes | None:
        """What it answers to a sound frame at `now` (the site's time of day), wake-up bytes included; None: nothing."""

    def renamed(self, answer: bytes) -> bytes:
        """The same answer in the name of another meter."""


class MeterKind(NamedTuple):
    """The meters of one protocol. `frames`: a finder of requests; `meter`: one that answers them."""

    frames: Callable[[], Frames]
    meter: Callable[[SimDevice, Faults], SimMeter]


class ItemMeter:
    """A meter whose values are items. `address`: as printed; `number`: its own, often the same."""

    def __init__(self, device: SimDevice, faults: Faults, digits: int) -> None:
        form = meter_of(device.profile)
        assert form is not None
        self.device = device
        self.form: MeterFormat = form
        self.address = (device.config.address or _decimal(device.config.meter_no) or "1").zfill(digits)
        self._faults = faults
        self._shift = timedelta()
        self.items = {item.item: item for block in plan(device.profile) for item in (block, *block.parts)}
        device.put({"meter_no": device.config.meter_no or self.address})

    def data(self, number: int, now: datetime) -> bytes | None:
        """An item's data; None if this product does not have it."""
        clock = self.clock(now)
        item = self.items.get(number)
        if item is not None:
            return fields.item_bytes(item, self._value, clock)
        for other in self.items.values():
            if other.time is not None and other.time[0] == number:
                field = other.fields[0]
                return fields.time_bytes(field, self._value(field.point.id), clock)
        return None

    def clock(self, now: datetime) -> datetime:
        """What its own clock shows."""
        off = CLOCK_OFF if self._faults.has(self.device.id, "clock-off") else timedelta()
        return now + self._shift + off

    def set_clock(self, shown: datetime, now: datetime) -> None:
        """Somebody set its clock."""
        self._shift = shown - now.replace(tzinfo=None)

    def obey(self, name: str, label: str | None) -> None:
        """Somebody gave a command of its profile."""
        self.device.act(CommandGiven(name, label))
        point = FOLLOWS.get(name)
        if point is not None and label in SHOWN and not self.device.stuck:
            self.device.put({point: SHOWN[label]})

    def commands(self, act: str) -> list[MeterCommand]:
        """The commands of its profile of one kind."""
        parts = self.device.profile.commands.values()
        return [part for part in parts if isinstance(part, MeterCommand) and part.act == act]

    def misnumbered(self) -> bool:
        """Whether another meter hangs in its place."""
        return self._faults.has(self.device.id, "wrong-number")

    def renamed(self, answer: bytes) -> bytes:
        """The same answer with another address (its third byte after 68 and T) and a sum that is right."""
        start = answer.index(0x68)
        body = bytearray(answer[start:-2])
        body[3] = body[3] + 1 if body[3] & 0x0F < 9 else body[3] - 1
        return answer[:start] + bytes(body) + bytes((sum(body) & 0xFF, answer[-1]))

    def _value(self, name: str) -> Value:
        value = secondary(self.device, name)
        return another(str(value)) if name == "meter_no" and self.misnumbered() else value


def secondary(device: SimDevice, name: str) -> Value:
    """What the meter itself measures of a point: behind transformers, what flows divided by their ratios."""
    value = device.value(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    for ratio in times_of(device.profile.points[name]):
        by = device.config.scale_by.get(ratio, device.value(ratio) if ratio in device.profile.points else 1.0)
        value /= float(by) if isinstance(by, int | float) and by > 0 else 1.0
    return value


def label_of(command: MeterCommand, raw: int) -> str | None:
    """The label of a raw value."""
    return next((label for label, code in command.enum.items() if code == raw), None)


def another(number: str) -> str:
    """The number of another meter."""
    last = number[-1:]
    return number[:-1] + ("1" if last != "1" else "2")


def _decimal(number: str | None) -> str | None:
    return number if number is not None and number.isascii() and number.isdecimal() else None
