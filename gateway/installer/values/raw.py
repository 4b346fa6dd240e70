"""Modbus without a profile, over the product's own wires: registers read and written as they are."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from contract.speech import Speech
from drivers.errors import FrameError, Silence, WireDown
from drivers.modbus.decode import bit_at, in_order
from drivers.modbus.encode import Write
from drivers.modbus.refusals import reason
from drivers.modbus.rtu import Line, RtuTcpWire, RtuWire
from drivers.modbus.tcp import TcpWire
from drivers.modbus.wire import Refused, Wire
from drivers.modbus.wires import AnyModbus, ModbusRtuBus, ModbusRtuTcpBus, ModbusTcpBus
from drivers.profiles.wording import number
from drivers.profiles.words import WIDTHS, Order
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.wire.driving import reachable

FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """What is read: `count` values of `type` from `start`; bits with function codes 1 and 2."""

    bus: AnyModbus
    unit: int
    fc: int
    start: int
    count: int
    type: str = "u16"
    order: Order = "ABCD"

    @property
    def width(self) -> int:
        """Registers (or bits) that one value takes."""
        return 1 if self.fc <= 2 else WIDTHS[self.type]


@dataclass(frozen=True, slots=True)
class Read:
    """What came."""

    asked: Registers
    data: bytes
    took_s: float

    def values(self) -> list[int | float]:
        """The values in the type and order asked for."""
        asked = self.asked
        if asked.fc <= 2:
            return [bit_at(self.data, at) for at in range(asked.count)]
        size = 2 * asked.width
        pieces = [self.data[at : at + size] for at in range(0, len(self.data), size)]
        return [struct.unpack(FORMATS[asked.type], in_order(piece, asked.order))[0] for piece in pieces]

    def words(self) -> list[int]:
        """The registers."""
        return list(struct.unpack(f">{len(self.data) // 2}H", self.data))

    def heads(self, say: Speech) -> list[str]:
        """Heads of the columns after the address."""
        if self.asked.fc <= 2:
            return [say("状态", "state")]
        return [
            say("十六进制", "hex"),
            f"{self.asked.type} {self.asked.order}" if self.asked.width > 1 else self.asked.type,
        ]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Address and cells of each value."""
        for index, value in enumerate(self.values()):
            at = self.asked.start + index * self.asked.width
            if self.asked.fc <= 2:
                yield at, [str(value)]
                continue
            piece = self.data[2 * index * self.asked.width : 2 * (index + 1) * self.asked.width]
            shown = f"{value:.7g}" if self.asked.type == "f32" else number(value)
            yield at, [piece.hex(" ", 2).upper(), shown]


@asynccontextmanager
async def wire_of(bus: AnyModbus, unit: int) -> AsyncIterator[Wire]:
    """The wire of a bus, open, for one unit."""
    await reachable(bus)
    wire: Wire
    if isinstance(bus, ModbusTcpBus):
        wire = TcpWire(
            bus.host, bus.port, patience_s=bus.timeout_s, guards={unit: 0.0}, on_refused=_ignore, on_late=_ignore
        )
    else:
        line = Line(
            baud=bus.baud,
            parity=bus.parity,
            stop_bits=bus.stop_bits,
            guards={unit: 0.0},
            settle_s=0.0,
            on_stray=_ignore,
        )
        wire = RtuTcpWire(bus.host, bus.port, line) if isinstance(bus, ModbusRtuTcpBus) else RtuWire(bus.port, line)
    try:
        try:
            await wire.open(3.0)
        except WireDown as down:
            raise Trouble(f"打不开 {wire.name}：{down}", str(down)) from down
        yield wire
    finally:
        wire.close()


def _ignore(*_: object) -> None:
    """What nobody waits for is no matter of a single question."""


async def read_registers(asked: Registers) -> Read:
    """Reads once, and once more after a silence. Raises `Trouble` in words."""
    async with wire_of(asked.bus, asked.unit) as wire:
        return await ask(wire, asked)


async def ask(wire: Wire, asked: Registers) -> Read:
    """One question over an open wire."""
    loop = asyncio.get_running_loop()
    for last in (False, True):
        began = loop.time()
        try:
            if not wire.connected:
                await wire.open(3.0)
            data = await wire.read(asked.unit, asked.fc, asked.start, asked.count * asked.width, asked.bus.timeout_s)
        except Silence:
            if last:
                raise silent(asked.unit, asked.bus) from None
            await asyncio.sleep(asked.bus.timeout_s)
        except (Refused, WireDown, FrameError) as wrong:
            raise trouble(asked.unit, wrong) from wrong
        else:
            return Read(asked, data, loop.time() - began)
    raise AssertionError


def silent(unit: int, bus: AnyModbus) -> Trouble:
    """Words for a unit that does not answer, with what to look at."""
    time_out = f"{bus.timeout_s:g}"
    if isinstance(bus, ModbusRtuBus):
        how = f"{bus.baud} 8{bus.parity}{bus.stop_bits}"
        return Trouble(
            f"地址 {unit} 在 {time_out} 秒内没有应答（{bus.port}，{how}）。"
            "地址、波特率、校验、A/B 线对吗？用 scan 找一找",
            f"unit {unit} did not answer within {time_out} s ({bus.port}, {how}). "
            "Are address, speed, parity and A/B right? scan finds out",
            FAILED,
        )
    return Trouble(
        f"地址 {unit} 在 {time_out} 秒内没有应答（{bus.host}:{bus.port}）",
        f"unit {unit} did not answer within {time_out} s ({bus.host}:{bus.port})",
        FAILED,
    )


def trouble(unit: int, wrong: Exception) -> Trouble:
    """A fault of an exchange in words."""
    if isinstance(wrong, Refused):
        en, zh = reason(wrong.code)
        return Trouble(
            f"地址 {unit} 拒绝（异常码 {wrong.code}：{zh}）",
            f"unit {unit} refuses (exception {wrong.code}: {en})",
            FAILED,
        )
    if isinstance(wrong, FrameError):
        return Trouble(
            f"地址 {unit} 的应答不能用：{wrong}", f"the answer of unit {unit} cannot be used: {wrong}", FAILED
        )
    return Trouble(f"线路断开：{wrong}", f"the line is gone: {wrong}", FAILED)


async def write_registers(bus: AnyModbus, unit: int, write: Write) -> Read | None:
    """Writes once and reads back; None where there is nothing to read back. Raises `Trouble` in words."""
    async with wire_of(bus, unit) as wire:
        if not wire.can_confirm(write):
            # The echo of a half-duplex adapter would look like the answer; what comes to a question shows it.
            asked = readback(bus, unit, write)
            with contextlib.suppress(Silence, Refused, WireDown, FrameError):
                await wire.read(unit, asked.fc, asked.start, asked.count, bus.timeout_s)
        try:
            await wire.write(unit, write, bus.timeout_s)
        except Silence:
            raise silent(unit, bus) from None
        except (Refused, WireDown, FrameError) as wrong:
            raise trouble(unit, wrong) from wrong
        try:
            return await ask(wire, readback(bus, unit, write))
        except Trouble:  # many outputs cannot be read; the write itself was confirmed
            return None


def readback(bus: AnyModbus, unit: int, write: Write) -> Registers:
    """What reads what was written."""
    fc = 1 if write.fc == 5 else 3
    return Registers(bus=bus, unit=unit, fc=fc, start=write.address, count=len(write.words))
