"""A CJ/T 188 meter on a line: its conversations. Pure.

An answer is believed if its kind of meter, its address, its control code, its item, its SER and its length are those
that were asked for. SER runs on with every question, so that a late answer is known as such.
"""

from __future__ import annotations

from datetime import datetime

from contract.readings import Value
from drivers.cjt188 import codec as cjt188
from drivers.cjt188.wires import DIGITS
from drivers.errors import FrameError
from drivers.meters.dialect import Ask, Denied, Foreign, MeterKind, More, Said, Talk, Verdict
from drivers.meters.framing import Frames
from drivers.meters.items import Item
from drivers.meters.station import ItemStation
from drivers.profiles.profile import Profile
from drivers.schedule import Readable
from drivers.wiring import Installed

STATUS_SIZE = 2


class Cjt188Station(ItemStation):
    """One meter."""

    def __init__(self, device: str, installed: Installed, profile: Profile) -> None:
        super().__init__(device, installed, profile, DIGITS)
        self.manner = cjt188.Manner(self.form.type_code, self.form.di_order, self.form.preamble)
        self._serial = 0

    def frames(self) -> Frames:
        """A finder of CJ/T 188 frames."""
        return cjt188.frames()

    def read(self, block: Readable) -> Talk:
        """A conversation that reads an item."""
        assert isinstance(block, Item)
        return _Reading(self, block)

    def again(self, block: Readable, damaged: Talk) -> Talk:
        """The item from its beginning."""
        return self.read(block)

    def write(self, name: str, value: Value, local: datetime) -> Talk:
        """A conversation that carries out a command. Raises `CommandFailed`."""
        command, raw = self.raw_command(name, value)
        return _Writing(self, self.known_address(), command.item, raw.to_bytes(command.size, "little"))

    def next_serial(self) -> int:
        """The number of the next question, 0 to 255."""
        self._serial = (self._serial + 1) & 0xFF
        return self._serial

    def check(self, found: cjt188.Frame, control: int, head: bytes) -> Foreign | Denied | None:
        """Whether a frame answers a question of `control` with `head` (item and SER); None: it does."""
        if not found.control & cjt188.ANSWER:
            return Foreign("another master asks on this line")
        if found.kind != self.manner.kind or (self.address is not None and found.address != self.address):
            return Foreign(f"the meter {found.address} (kind {found.kind:02X}) answers instead of {self.address}")
        if found.control & 0x3F != control:
            return Foreign("an answer to an earlier question", late=True)
        if found.control & cjt188.ERROR:
            # SER and two bytes of status; no item.
            if found.data[:1] != head[2:]:
                return Foreign("a refusal of an earlier question", late=True)
            return Denied(cjt188.REFUSED)
        if found.data[:3] != head:
            return Foreign("an answer to an earlier question", late=True)
        return None


class _Reading:
    """Reads one item; finds the meter's address first if nobody knows it."""

    def __init__(self, meter: Cjt188Station, item: Item) -> None:
        self._meter = meter
        self._item = item
        self._head = b""
        self._control = cjt188.READ

    def ask(self) -> Ask:
        """What to send now."""
        meter, serial = self._meter, self._meter.next_serial()
        finding = meter.address is None
        item = cjt188.ADDRESS_ITEM if finding else self._item.item
        self._control = cjt188.READ_ADDRESS if finding else cjt188.READ
        self._head = cjt188.item_bytes(item, meter.manner.order) + bytes((serial,))
        longest = cjt188.OVERHEAD + meter.manner.wake + 3 + self._item.size
        if meter.address is None:
            return Ask(cjt188.read_address(meter.manner, serial), longest)
        return Ask(cjt188.read(meter.manner, meter.address, item, serial), longest)

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame is."""
        meter, found = self._meter, cjt188.parse(frame)
        other = meter.check(found, self._control, self._head)
        if other is not None:
            return other
        if self._control == cjt188.READ_ADDRESS:
            if not found.address.isdecimal():
                raise FrameError(f"an address that is none: {found.address}", frame)
            meter.address = found.address
            return More()
        return Said(meter.understood(self._item, found.data[3:]))


class _Writing:
    """A write that the meter confirms with its status."""

    def __init__(self, meter: Cjt188Station, address: str, item: int, data: bytes) -> None:
        self._meter = meter
        self._address = address
        self._item = item
        self._data = data
        self._head = b""

    def ask(self) -> Ask:
        """What to send now."""
        meter, serial = self._meter, self._meter.next_serial()
        self._head = cjt188.item_bytes(self._item, meter.manner.order) + bytes((serial,))
        asked = cjt188.write(meter.manner, self._address, self._item, serial, self._data)
        return Ask(asked, cjt188.OVERHEAD + meter.manner.wake + 3 + STATUS_SIZE)

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame is."""
        found = cjt188.parse(frame)
        other = self._meter.check(found, cjt188.WRITE, self._head)
        if other is not None:
            return other
        if len(found.data) not in (3, 3 + STATUS_SIZE):
            raise FrameError("a confirmation of another length", frame)
        return Said()


STATION = MeterKind(lambda name, installed, profile, _: Cjt188Station(name, installed, profile))
