"""A DL/T 698.45 meter's answers. Pure.

It tells the attributes of its profile, each in the type that the standard gives it, and denies all others.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from dlt698.model import Data, DataType, Oad
from dlt698.standard import find_attribute

from contract.readings import Value
from drivers.dlt698 import codec as dlt698
from drivers.dlt698.station import source_of
from drivers.profiles.profile import Point
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.meters.meter import CLOCK_OFF, MeterKind, another, secondary

WAKE = 4
NO_SUCH_OBJECT = 4

_INTEGERS: dict[DataType, tuple[Any, int, int]] = {
    DataType.int8: (Data.int8, -(2**7), 2**7 - 1),
    DataType.int16: (Data.int16, -(2**15), 2**15 - 1),
    DataType.int32: (Data.int32, -(2**31), 2**31 - 1),
    DataType.int64: (Data.int64, -(2**63), 2**63 - 1),
    DataType.uint8: (Data.uint8, 0, 2**8 - 1),
    DataType.uint16: (Data.uint16, 0, 2**16 - 1),
    DataType.uint32: (Data.uint32, 0, 2**32 - 1),
    DataType.uint64: (Data.uint64, 0, 2**64 - 1),
}
"""By type: what makes it, its lowest and its highest number."""


class Dlt698Meter:
    """One meter (see `simulators.meters.meter.SimMeter`)."""

    def __init__(self, device: SimDevice, faults: Faults) -> None:
        self.device = device
        self.address = (device.config.address or "1").zfill(12)
        self._faults = faults
        self._points: dict[int, list[Point]] = {}
        for point in device.profile.points.values():
            self._points.setdefault(source_of(point).oad, []).append(point)
        device.put({"meter_no": device.config.meter_no or self.address})

    def answer(self, frame: bytes, now: datetime) -> bytes | None:
        """What it answers to a sound frame."""
        found = dlt698.parse(frame)
        if found.control != dlt698.REQUEST or found.address not in (self.address, dlt698.ANYBODY):
            return None
        asked = dlt698.asked(found.apdu)
        if asked is None:
            return None
        piid, oads = asked
        told = dlt698.answer(piid, {oad: self._result(oad, now) for oad in oads})
        return dlt698.frame(self.address, dlt698.ANSWER, told, WAKE)

    def renamed(self, answer: bytes) -> bytes:
        """The same answer in the name of another meter."""
        found = dlt698.parse(answer[WAKE:])
        return dlt698.frame(another(found.address), found.control, found.apdu, WAKE)

    def _result(self, oad: int, now: datetime) -> Data | int:
        if oad == dlt698.ADDRESS_OAD:
            return Data.octet_string(bytes.fromhex(self.address))
        points = self._points.get(oad)
        if points is None:
            return NO_SUCH_OBJECT
        if source_of(points[0]).element is None:
            return self._data(points[0], now)
        elements = {source_of(point).element or 0: self._data(point, now) for point in points}
        return Data.array([elements.get(at + 1, Data.null()) for at in range(max(elements))])

    def _data(self, point: Point, now: datetime) -> Data:
        source = source_of(point)
        value = secondary(self.device, point.id)
        match source.form:
            case "number":
                return _number(value, source.decimals, _type_of(source.oad))
            case "digits":
                return Data.octet_string(bytes.fromhex(self._number(point, value)))
            case "text":
                return Data.visible_string(str(value or ""))
            case "clock":
                return _clock(value, self._clock(now))

    def _number(self, point: Point, value: Value) -> str:
        digits = "".join(letter for letter in str(value) if letter.isascii() and letter.isdecimal()) or "0"
        if point.id == "meter_no" and self._faults.has(self.device.id, "wrong-number"):
            digits = another(digits)
        return digits.zfill(len(digits) + len(digits) % 2)

    def _clock(self, now: datetime) -> datetime:
        return now + (CLOCK_OFF if self._faults.has(self.device.id, "clock-off") else timedelta())


def _type_of(oad: int) -> DataType:
    """The type of a number by the standard; of one that it does not know, a wide one."""
    found = find_attribute(Oad(oi=oad >> 16, attribute=oad >> 8 & 0xFF, index=oad & 0xFF))
    kind = None if found is None else found.element_type or found.type
    return kind if kind in _INTEGERS else DataType.int32


def _number(value: Value, decimals: int, kind: DataType) -> Data:
    if isinstance(value, str) or value is None or not math.isfinite(value):
        return Data.null()
    make, low, high = _INTEGERS[kind]
    made: Data = make(max(low, min(high, round(value * 10**decimals))))
    return made


def _clock(value: Value, clock: datetime) -> Data:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and value else clock
    except ValueError:
        return Data.null()
    return Data.date_time_s([*divmod(at.year, 256), at.month, at.day, at.hour, at.minute, at.second])


METER = MeterKind(dlt698.frames, Dlt698Meter)
