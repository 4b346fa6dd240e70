"""A line of OSDP readers (see `drivers.bus.Bus`): the event loop's hands for `drivers.osdp.line`.

No task polls: the loop calls when bytes have come or when the line's next moment is due. A frame is handed to the
library in the same call that read its last byte, and what it says is at the sink before that call returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from contract.readings import Value
from contract.texts import Text
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.osdp import codec, meaning
from drivers.osdp.keying import Keying
from drivers.osdp.keys import KeyStore
from drivers.osdp.line import RESPONSE_S, Line
from drivers.osdp.meaning import CannotSay, Message
from drivers.osdp.panel_commands import PanelCommand
from drivers.osdp.port import Opener, Port
from drivers.osdp.product import ReaderCommand, ReaderOutput
from drivers.osdp.reader import Reader
from drivers.reports import InputRefused, Report, Sink
from drivers.tap import Tap

log = structlog.get_logger(__name__)

REOPEN_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
LOST_AFTER: Final = 2
"""Failed attempts to open the wire after which its readers are lost."""


class OsdpBus:
    """One wire and its readers. `build` makes the readers: they report through this bus."""

    def __init__(self, id: str, opener: Opener, *, store: KeyStore, sink: Sink) -> None:
        self.id = id
        self.health = BusHealth()
        self.tap = Tap()
        self.keying = Keying(store)
        self._opener = opener
        self._sink = sink
        self._readers: dict[str, Reader] = {}
        self._line = self._line_of(())
        self._port: Port | None = None
        self._gone: asyncio.Future[str] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._failures = 0

    def take_in(self, readers: Sequence[Reader]) -> None:
        """The readers of this wire, before it runs; they report to `report`."""
        self._readers = {reader.id: reader for reader in readers}
        self._line = self._line_of(readers)

    def report(self, report: Report) -> None:
        """The sink of this wire's readers."""
        if isinstance(report, InputRefused):
            self.health.refused += 1
        self._sink(report)

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Switches an output, lights the lamp (a colour), beeps (so often), shows a text."""
        reader = self._reader(device)
        try:
            command = _command(reader, point, value)
        except CannotSay as wrong:
            raise CommandFailed(str(wrong), f"{device}：不支持的值") from wrong
        await self._carry_out(reader, command, within_s)
        if point in reader.profile.outputs:
            await self._carry_out(reader, meaning.ask("outputs"), within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output, timed by the reader in steps of 0.1 s."""
        reader = self._reader(device)
        known = reader.profile.outputs.get(output)
        if not isinstance(known, ReaderOutput):
            raise CommandFailed(f"{device} has no output {output}", f"{device} 没有输出 {output}")
        try:
            command = meaning.output(known.number, on=True, for_s=seconds)
        except CannotSay as wrong:
            raise CommandFailed(str(wrong), f"{device}：脉冲最长 25.5 秒") from wrong
        await self._carry_out(reader, command, within_s)

    def online(self, device: str) -> bool:
        """Whether the reader is there, by its own key where it must have one."""
        reader = self._readers.get(device)
        return reader is not None and reader.there

    def show(self, reader: str, outcome: Outcome) -> None:
        """Lamp green and a beep, or lamp red and three. Never waits."""
        known = self._readers.get(reader)
        if known is not None and self._port is not None:
            loop = asyncio.get_running_loop()
            known.show(outcome, loop.time())
            loop.call_soon(self._turn)

    async def set_key(self, device: str, *, within_s: float) -> None:
        """Gives a reader a new key of its own; `CommandFailed` with what to do if that is impossible."""
        reader = self._reader(device)
        if not reader.secure:
            raise CommandFailed(f"{device} is declared `secure: false`", f"{device} 已声明 secure: false（明文）")
        if self._port is None:
            raise CommandFailed("the line is closed", "线路未打开")
        await self.keying.set_key(reader, self._turn, within_s)

    # --- The owner

    async def run(self) -> None:
        """Keeps the wire open until cancelled."""
        while True:
            try:
                port = await self._opener()
            except (OSError, TimeoutError) as wrong:
                self._failed(f"{self._opener.name} cannot be opened: {wrong or 'no answer'}")
            else:
                await self._attend(port)
            await asyncio.sleep(REOPEN_S[min(self._failures, len(REOPEN_S)) - 1])

    async def _attend(self, port: Port) -> None:
        loop = asyncio.get_running_loop()
        self._gone = gone = loop.create_future()
        self._port = port
        exchanges = self.health.exchanges
        try:
            loop.add_reader(port.fileno(), self._readable)
            self.health.reconnects += exchanges > 0
            self.health.connected = True
            self._line.open(self._write, loop.time())
            self._turn()
            why = await gone
        finally:
            self.health.connected = False
            self._port = self._gone = None
            loop.remove_reader(port.fileno())
            if self._timer is not None:
                self._timer.cancel()
            self._line.close(None)
            port.close()
        if self.health.exchanges > exchanges:
            self._failures = 0
        self._failed(why)

    def _failed(self, why: str) -> None:
        self._failures += 1
        log.warning("the line of readers is closed", bus=self.id, why=why)
        if self._failures >= LOST_AFTER:
            self._line.close(why)

    def _lose_port(self, why: str) -> None:
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(why)

    # --- Called by the event loop

    def _readable(self) -> None:
        if self._port is None:
            return
        try:
            data = self._port.read()
        except OSError as wrong:
            asyncio.get_running_loop().remove_reader(self._port.fileno())
            self._lose_port(f"{self._opener.name} is gone: {wrong}")
            return
        if self.tap.on and data:
            self.tap.came(data)
        self._safely(data)

    def _turn(self) -> None:
        self._safely(b"")

    def _safely(self, data: bytes) -> None:
        """Takes bytes in and does what is due; a fault of ours costs one connection, not the wire."""
        if self._port is None:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        try:
            if data and not self._line.received(data, now):
                return  # a part of a frame changes nothing: the line's next moment is known
            wake = self._line.turn(now)
        except Exception:  # what bytes or a moment make of a line costs one connection, not the wire
            log.exception("a line of readers failed", bus=self.id)
            self._lose_port("a fault inside the gateway")
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(wake, self._turn)
        doubted_after_s = self._opener.doubted_after_s
        if doubted_after_s is not None and self._line.silent_s(now) > doubted_after_s:
            self._lose_port(f"nobody answers at {self._opener.name}")

    def _write(self, data: bytes) -> None:
        """Called from inside the library: must not raise."""
        if self._port is None:
            return
        if self.tap.on:
            self.tap.sent(data)
        try:
            self._port.write(data)
        except OSError as wrong:
            self._lose_port(f"{self._opener.name} is gone: {wrong}")

    # --- Inside

    def _line_of(self, readers: Sequence[Reader]) -> Line:
        return Line(
            readers,
            self.health,
            guard_s=self._opener.guard_s,
            silent=self._unanswered,
            refused=lambda why, sample: self._sink(InputRefused(self.id, why, codec.head(sample))),
        )

    def _unanswered(self, reader: str) -> None:
        if self.tap.on:
            self.tap.failed(reader, f"{reader} did not answer within {RESPONSE_S:g} s")

    def _reader(self, device: str) -> Reader:
        reader = self._readers.get(device)
        if reader is None:
            raise CommandFailed(f"{device} is not on this wire", f"{device} 不在此线路上")
        return reader

    async def _carry_out(self, reader: Reader, command: Message, within_s: float) -> None:
        loop = asyncio.get_running_loop()
        if not reader.there:
            raise CommandFailed(f"{reader.id} is not there", f"{reader.id} 失联")
        if not reader.can(dict(command)):
            raise CommandFailed(f"{reader.id} does not have that", f"{reader.id} 没有此功能")
        answer: asyncio.Future[Text | None] = loop.create_future()

        def done(why: Text | None) -> None:
            if not answer.done():
                answer.set_result(why)

        if not reader.give(PanelCommand(dict(command), loop.time() + within_s, done)):
            raise CommandFailed(f"{reader.id} has too much to do", f"{reader.id} 任务过多")
        loop.call_soon(self._turn)
        try:
            async with asyncio.timeout(within_s):
                why = await answer
        except TimeoutError:
            raise CommandFailed(f"{reader.id} did not confirm in time", f"{reader.id} 未及时确认") from None
        if why is not None:
            raise CommandFailed(why.en, why.zh)


def _command(reader: Reader, point: str, value: Value) -> Message:
    """The library's words for writing `value` to a point or command of the profile. `CannotSay`."""
    known = reader.profile.outputs.get(point) or reader.profile.commands.get(point)
    if isinstance(known, ReaderOutput):
        if value not in (0, 1):
            raise CannotSay(f"{value!r:.40} is no state of an output: true or false is expected")
        return meaning.output(known.number, on=bool(value))
    if not isinstance(known, ReaderCommand):
        raise CannotSay(f"{reader.id} has nothing to write called {point}")
    match known.act:
        case "lamp":
            return meaning.lamp(str(value))
        case "beep":
            times = int(value) if isinstance(value, int | float) else 1
            return meaning.beep(times)
        case "text":
            return meaning.text(str(value))
