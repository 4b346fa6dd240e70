"""A DL/T 645 meter on a line: its conversations. Pure.

An answer is believed if its address, its control code, its item and its length are those that were asked for. A long
answer (2007) comes in numbered frames; it may not be longer than the profile says.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.dlt645 import codec as dlt645
from drivers.dlt645.wires import DIGITS
from drivers.errors import FrameError
from drivers.installed import Gateway, password_of
from drivers.meters import bcd
from drivers.meters.dialect import Ask, Denied, Foreign, MeterKind, More, Said, Talk, Verdict
from drivers.meters.framing import Frames
from drivers.meters.items import Item, near_midnight
from drivers.meters.station import ItemStation
from drivers.profiles.profile import Profile
from drivers.schedule import Readable
from drivers.wiring import Installed

VOID_AFTER = timedelta(minutes=5)
"""A trip or close command is void after so long by the meter's own clock."""

_FUNCTION = 0x1F


Password = Callable[[], str | None]
"""Six digits, and after a blank the operator's eight; None where no password is installed."""


class Dlt645Station(ItemStation):
    """One meter. Without a password it takes no commands that need one."""

    def __init__(self, device: str, installed: Installed, profile: Profile, password: Password = lambda: None) -> None:
        super().__init__(device, installed, profile, DIGITS)
        self.version: dlt645.Version = 1997 if self.form.version == 1997 else 2007
        self.wake = self.form.preamble
        self._password = password

    def frames(self) -> Frames:
        """A finder of DL/T 645 frames."""
        return dlt645.frames()

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
        if command.act == "clock":
            return _Telling(dlt645.broadcast_time(local, self.wake))
        address, rights = self.known_address(), self._rights(name, command.level)
        if command.act == "control":
            asked = dlt645.control(address, raw, local + VOID_AFTER, rights, self.wake)
            return _Writing(address, dlt645.CONTROL, asked)
        data = bcd.from_number(raw, command.size, signed=False)
        return _Writing(address, dlt645.WRITE_2007, dlt645.write(address, command.item, data, rights, self.wake))

    def _rights(self, name: str, level: int | None) -> dlt645.Rights:
        given = self._password()
        if given is None:
            raise CommandFailed(
                f"{self.device}: {name} needs the meter's password (`password_file` in the site file)",
                f"{self.device}：{name} 需要表计密码（项目配置的 password_file）",
            )
        password, _, operator = given.partition(" ")
        try:
            rights = dlt645.Rights(level or 0, password, operator.strip() or "0")
            rights.encoded()
        except ValueError:
            raise CommandFailed(
                f"{self.device}: the password file holds no six digits", f"{self.device}：密码文件应为六位数字"
            ) from None
        return rights


class _Reading:
    """Reads one item: finds the meter's address first if nobody knows it, then the item, then what belongs to it."""

    def __init__(self, meter: Dlt645Station, item: Item) -> None:
        self._meter = meter
        self._item = item
        self._date: bytes | None = None
        self._held = b""
        self._number = 0

    @property
    def _asked(self) -> tuple[int, int]:
        """The item that is asked for now, and its size."""
        if self._date is not None and self._item.time is not None:
            return self._item.time
        return self._item.item, self._item.size

    def ask(self) -> Ask:
        """What to send now."""
        meter, (item, size) = self._meter, self._asked
        overhead = dlt645.OVERHEAD + meter.wake
        if self._finding:
            return Ask(dlt645.read_address(meter.wake), overhead + 6)
        longest = overhead + min(dlt645.DATA_LIMIT, 5 + size)
        address = meter.address or dlt645.ANYBODY
        if self._number:
            return Ask(dlt645.read_on(address, item, self._number, meter.wake), longest)
        return Ask(dlt645.read(address, item, meter.version, meter.wake), longest)

    @property
    def _finding(self) -> bool:
        return self._meter.address is None and self._meter.version == 2007

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame is."""
        meter, found = self._meter, dlt645.parse(frame)
        function = self._function()
        foreign = _foreign(found, meter.address, function)
        if foreign is not None:
            return foreign
        if found.control & dlt645.ERROR:
            return Denied(dlt645.error_text(found.data, meter.version))
        if self._finding:
            return self._found(found)
        if meter.address is None and not found.address.isdecimal():
            raise FrameError(f"an address that is none: {found.address}", frame)
        return self._take(found, frame)

    def _function(self) -> int:
        if self._finding:
            return dlt645.READ_ADDRESS
        codes = dlt645.FOLLOW if self._number else dlt645.READ
        return codes[self._meter.version]

    def _found(self, found: dlt645.Frame) -> Verdict:
        address = bcd.digits(found.data) if len(found.data) == 6 else None
        if address is None or address != found.address:
            raise FrameError(f"the meter {found.address} says of itself that it is another one", found.data)
        self._meter.address = address
        return More()

    def _take(self, found: dlt645.Frame, frame: bytes) -> Verdict:
        item, size = self._asked
        head = dlt645.item_bytes(item, self._meter.version)
        data = found.data[len(head) :]
        if found.data[: len(head)] != head or (self._number and data[-1:] != bytes((self._number,))):
            return Foreign("an answer to an earlier question", late=True)
        if self._number:
            data = data[:-1]
        more = bool(found.control & dlt645.MORE)
        if more and self._meter.version == 1997:
            raise FrameError("an answer in several frames, which the 1997 standard does not number", frame)
        if len(self._held) + len(data) > size or (more and not data):
            raise FrameError(f"item {item:X}: {size} bytes are expected, more came", frame)
        self._meter.address = found.address
        self._held += data
        if more:
            self._number += 1
            return More()
        return self._finished()

    def _finished(self) -> Verdict:
        data, self._held, self._number = self._held, b"", 0
        if self._item.time is None:
            return Said(self._meter.understood(self._item, data))
        if self._date is None:
            self._date = data
            return More()
        if near_midnight(data):
            return Said()
        if len(data) != self._item.time[1]:
            raise FrameError(f"{self._item.time[1]} bytes of time are expected, {len(data)} came", data)
        return Said(self._meter.understood(self._item, self._date, data))


class _Writing:
    """A write that the meter confirms."""

    def __init__(self, address: str, function: int, frame: bytes) -> None:
        self._address = address
        self._function = function
        self._frame = frame

    def ask(self) -> Ask:
        """What to send now."""
        return Ask(self._frame, dlt645.OVERHEAD + 8, secret=True)

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame is."""
        found = dlt645.parse(frame)
        foreign = _foreign(found, self._address, self._function)
        if foreign is not None:
            return foreign
        if found.control & dlt645.ERROR:
            return Denied(dlt645.error_text(found.data, 2007))
        if found.data:
            raise FrameError("a confirmation with data in it", frame)
        return Said()


class _Telling:
    """Something that is told to all and answered by nobody."""

    def __init__(self, frame: bytes) -> None:
        self._frame = frame

    def ask(self) -> Ask:
        """What to send now."""
        return Ask(self._frame, 0)

    def heard(self, frame: bytes) -> Verdict:
        """Nobody answers a broadcast."""
        return Foreign("nobody was asked")


def _foreign(found: dlt645.Frame, address: str | None, function: int) -> Foreign | None:
    if not found.control & dlt645.ANSWER:
        return Foreign("another master asks on this line")
    if address is not None and found.address != address:
        return Foreign(f"the meter {found.address} answers instead of {address}")
    if found.control & _FUNCTION != function:
        return Foreign("an answer to an earlier question", late=True)
    return None


def _station(name: str, installed: Installed, profile: Profile, gateway: Gateway) -> Dlt645Station:
    def password() -> str | None:
        try:
            return password_of(gateway, installed.password_file)
        except OSError as wrong:
            raise CommandFailed(f"{name}: {wrong}", f"{name}：无法读取密码文件 {installed.password_file}") from wrong

    return Dlt645Station(name, installed, profile, password)


STATION = MeterKind(_station)
