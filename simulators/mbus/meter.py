"""An M-Bus meter's answers. Pure.

It knows FCB: a request that repeats the last one's gets the last answer again, as it was. It is selected by its
secondary address until another one is, and sends what does not fit into one telegram in several.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from drivers.mbus import codec as mbus
from drivers.mbus.product import RecordSource
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.mbus.records import records, telegrams
from simulators.meters.meter import CLOCK_OFF, MeterKind, another

MAKER_AND_VERSION = "2D4D01"
MEDIA = {"heat_meter": "04", "water_meter": "07", "gas_meter": "03", "electricity_meter": "02"}
ROOM = 60
"""Bytes of records in one telegram: little, so that there are several."""

EVERYBODY_ANSWERS, NOBODY_ANSWERS = 254, 255
_FCV = 0x10
_FROM_MASTER = 0x40
_REQ_UD2 = 0x4B


class MbusMeter:
    """One meter (see `simulators.meters.meter.SimMeter`). `secondary`: 16 digits, as in the answers."""

    def __init__(self, device: SimDevice, faults: Faults) -> None:
        self.device = device
        self.primary = device.config.unit
        self._faults = faults
        self._secondary = _secondary(device)
        self._selected = False
        self._fcb: dict[int, bool | None] = {}
        self._telegrams: list[bytes] = []
        self._last = b""
        self._next = 0
        self._access = 0
        device.put({"meter_no": self._secondary[:8]})

    @property
    def secondary(self) -> str:
        """Its secondary address now: another meter may hang in its place."""
        if not self._faults.has(self.device.id, "wrong-number"):
            return self._secondary
        return another(self._secondary[:8]) + self._secondary[8:]

    def answer(self, frame: bytes, now: datetime) -> bytes | None:
        """What it answers to a sound frame."""
        if frame == mbus.ACKNOWLEDGED:
            return None
        asked = mbus.parse(frame)
        if not asked.control & _FROM_MASTER:
            return None
        if asked.address == mbus.SELECTED and asked.data[:1] == bytes((mbus.SELECT,)):
            return self._select(asked)
        if asked.control == mbus.SND_NKE:
            return self._reset(asked.address)
        mine = asked.address in (self.primary, EVERYBODY_ANSWERS)
        mine = mine or (asked.address == mbus.SELECTED and self._selected)
        if mine and asked.control & ~(mbus.FCB | _FCV) == _REQ_UD2:
            return self._tell(asked, now)
        return None

    def renamed(self, answer: bytes) -> bytes:
        """The same answer in the name of another meter."""
        if answer == mbus.ACKNOWLEDGED:
            return answer
        found = mbus.parse(answer)
        data = found.data[:1] + bytes((found.data[1] ^ 1,)) + found.data[2:]
        return mbus.long(found.control, (found.address + 1) % mbus.PRIMARY_LIMIT, data)

    def _select(self, asked: mbus.Frame) -> bytes | None:
        mask = (asked.data[4:0:-1] + asked.data[5:9]).hex().upper()
        self._selected = len(mask) == 16 and mbus.fits(mask, self.secondary)
        self._fcb.pop(mbus.SELECTED, None)
        return mbus.ACKNOWLEDGED if self._selected else None

    def _reset(self, address: int) -> bytes | None:
        self._next = 0
        if address == mbus.SELECTED:
            was, self._selected = self._selected, False
            return mbus.ACKNOWLEDGED if was else None
        if address not in (self.primary, EVERYBODY_ANSWERS, NOBODY_ANSWERS):
            return None
        self._fcb.pop(self.primary, None)
        return None if address == NOBODY_ANSWERS else mbus.ACKNOWLEDGED

    def _tell(self, asked: mbus.Frame, now: datetime) -> bytes:
        fcb = bool(asked.control & mbus.FCB)
        if asked.control & _FCV and self._fcb.get(asked.address) == fcb and self._last:
            return self._last
        self._fcb[asked.address] = fcb
        if self._next == 0:
            points = self.device.profile.points.values()
            self._telegrams = telegrams(records(points, self.device.value, self._clock(now)), ROOM)
        body = self._telegrams[self._next]
        self._next = (self._next + 1) % len(self._telegrams)
        self._access = (self._access + 1) & 0xFF
        head = bytes((mbus.LONG_HEADER,)) + mbus.secondary_bytes(self.secondary)
        tail = bytes((self._access, self._status(), 0, 0))
        self._last = mbus.long(mbus.RSP_UD, self.primary, head + tail + body)
        return self._last

    def _clock(self, now: datetime) -> datetime:
        return now + (CLOCK_OFF if self._faults.has(self.device.id, "clock-off") else timedelta())

    def _status(self) -> int:
        status = 0
        for point in self.device.profile.points.values():
            source = point.source
            if isinstance(source, RecordSource) and source.of == "status" and source.bit is not None:
                status |= (bool(self.device.value(point.id)) == bool(source.on)) << source.bit
        return status


def _secondary(device: SimDevice) -> str:
    """Its secondary address; what the site file leaves open is made up."""
    own = MAKER_AND_VERSION + MEDIA.get(device.profile.kind, "00")
    number = device.config.meter_no or ""
    digits = number.zfill(8) if number.isascii() and number.isdecimal() and len(number) <= 8 else "12345678"
    if device.config.address is None:
        return digits + own
    mask = mbus.secondary(device.config.address)
    return "".join(made if digit == "F" else digit for digit, made in zip(mask, digits + own, strict=True))


METER = MeterKind(mbus.frames, MbusMeter)
