"""A DL/T 645-2007 or -1997 meter's answers. Pure.

Answers that are longer than a frame's data come in numbered frames (2007). Its password is `PASSWORD`.
"""

from __future__ import annotations

from datetime import datetime

from drivers.dlt645 import codec as dlt645
from drivers.meters import bcd
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.meters.meter import ItemMeter, MeterKind, label_of

PASSWORD = "123456"
NO_SUCH_ITEM, NOT_AUTHORISED = 0x02, 0x04
MOST = dlt645.DATA_LIMIT - 5


class Dlt645Meter(ItemMeter):
    """One meter (see `simulators.meters.meter.SimMeter`)."""

    def __init__(self, device: SimDevice, faults: Faults) -> None:
        super().__init__(device, faults, 12)
        self.version: dlt645.Version = 1997 if self.form.version == 1997 else 2007
        self._wake = self.form.preamble

    def answer(self, frame: bytes, now: datetime) -> bytes | None:
        """What it answers to a sound frame."""
        asked = dlt645.parse(frame)
        if asked.control & dlt645.ANSWER:
            return None
        if asked.control == dlt645.BROADCAST_TIME and asked.address == dlt645.EVERYBODY:
            moment = bcd.moment(bcd.digits(asked.data) or "", "YYMMDDhhmmss")
            if moment is not None:
                self.set_clock(moment, now)
                for command in self.commands("clock"):
                    self.obey(command.id, None)
            return None
        if asked.address not in (self.address, dlt645.ANYBODY):
            return None
        if asked.control == dlt645.READ[self.version]:
            return self._read(asked, now)
        if self.version == 1997:
            return None
        match asked.control:
            case 0x12:
                return self._read_on(asked, now)
            case dlt645.READ_ADDRESS:
                return self._reply(asked, bcd.from_digits(self.address, 6))
            case dlt645.WRITE_2007:
                return self._write(asked)
            case dlt645.CONTROL:
                return self._control(asked)
            case _:
                return None

    def _read(self, asked: dlt645.Frame, now: datetime) -> bytes | None:
        size = dlt645.ITEM_SIZE[self.version]
        if len(asked.data) != size:
            return None
        data = self.data(int.from_bytes(asked.data, "little"), now)
        if data is None:
            return self._refuse(asked, NO_SUCH_ITEM)
        more = dlt645.MORE if len(data) > MOST else 0
        return self._reply(asked, asked.data + data[:MOST], more)

    def _read_on(self, asked: dlt645.Frame, now: datetime) -> bytes | None:
        if len(asked.data) != 5:
            return None
        number = asked.data[4]
        data = self.data(int.from_bytes(asked.data[:4], "little"), now)
        piece = b"" if data is None else data[number * MOST : (number + 1) * MOST]
        if data is None or not piece:
            return self._refuse(asked, NO_SUCH_ITEM)
        more = dlt645.MORE if len(data) > (number + 1) * MOST else 0
        return self._reply(asked, asked.data[:4] + piece + bytes((number,)), more)

    def _write(self, asked: dlt645.Frame) -> bytes:
        item, data = int.from_bytes(asked.data[:4], "little"), asked.data[12:]
        command = next((part for part in self.commands("write") if part.item == item), None)
        raw = bcd.number(data, signed=False) if data else None
        if not self._authorised(asked.data[4:8]):
            return self._refuse(asked, NOT_AUTHORISED)
        if command is None or raw is None:
            return self._refuse(asked, NO_SUCH_ITEM)
        self.obey(command.id, label_of(command, raw))
        return self._reply(asked, b"")

    def _control(self, asked: dlt645.Frame) -> bytes:
        if len(asked.data) != 16 or not self._authorised(asked.data[:4]):
            return self._refuse(asked, NOT_AUTHORISED)
        for command in self.commands("control"):
            label = label_of(command, asked.data[8])
            if label is not None:
                self.obey(command.id, label)
                return self._reply(asked, b"")
        return self._refuse(asked, NO_SUCH_ITEM)

    def _authorised(self, given: bytes) -> bool:
        return given[1:] == bcd.from_digits(PASSWORD, 3)

    def _reply(self, asked: dlt645.Frame, data: bytes, more: int = 0) -> bytes:
        return dlt645.frame(self.address, asked.control | dlt645.ANSWER | more, data, self._wake)

    def _refuse(self, asked: dlt645.Frame, error: int) -> bytes:
        control = asked.control | dlt645.ANSWER | dlt645.ERROR
        return dlt645.frame(self.address, control, bytes((error,)), self._wake)


METER = MeterKind(dlt645.frames, Dlt645Meter)
