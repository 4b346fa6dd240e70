"""A CJ/T 188 meter's answers. Pure."""

from __future__ import annotations

from datetime import datetime

from drivers.cjt188 import codec as cjt188
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.meters.meter import ItemMeter, MeterKind, another, label_of

STATUS_AT_END = 2


class Cjt188Meter(ItemMeter):
    """One meter (see `simulators.meters.meter.SimMeter`). It knows items in its own order of bytes only."""

    def __init__(self, device: SimDevice, faults: Faults) -> None:
        super().__init__(device, faults, 14)
        self._wake = self.form.preamble

    def answer(self, frame: bytes, now: datetime) -> bytes | None:
        """What it answers to a sound frame."""
        asked = cjt188.parse(frame)
        if asked.control & cjt188.ANSWER or asked.kind != self.form.type_code or len(asked.data) < 3:
            return None
        if asked.address not in (self._told, cjt188.ANYBODY):
            return None
        item = int.from_bytes(asked.data[:2], "little" if self.form.di_order == "low-first" else "big")
        match asked.control:
            case cjt188.READ:
                data = self.data(item, now)
                return self._refuse(asked) if data is None else self._reply(asked, data)
            case cjt188.READ_ADDRESS if item == cjt188.ADDRESS_ITEM:
                return self._reply(asked, b"")
            case cjt188.WRITE:
                return self._write(asked, item, now)
            case _:
                return None

    @property
    def _told(self) -> str:
        """The address is the only number that such a meter tells."""
        return another(self.address) if self.misnumbered() else self.address

    def _write(self, asked: cjt188.Frame, item: int, now: datetime) -> bytes:
        raw = int.from_bytes(asked.data[3:], "little")
        for command in self.commands("write"):
            label = label_of(command, raw)
            if command.item == item and label is not None:
                self.obey(command.id, label)
                reading = self.data(0x901F, now) or bytes(STATUS_AT_END)
                return self._reply(asked, reading[-STATUS_AT_END:])
        return self._refuse(asked)

    def _reply(self, asked: cjt188.Frame, data: bytes) -> bytes:
        control = asked.control | cjt188.ANSWER
        return cjt188.frame(self.form.type_code, self._told, control, asked.data[:3] + data, self._wake)

    def _refuse(self, asked: cjt188.Frame) -> bytes:
        control = asked.control | cjt188.ANSWER | cjt188.ERROR
        return cjt188.frame(self.form.type_code, self._told, control, asked.data[2:3] + bytes(2), self._wake)


METER = MeterKind(cjt188.frames, Cjt188Meter)
