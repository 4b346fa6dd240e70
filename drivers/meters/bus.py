"""The owner of one meter line: people's commands first, then whatever is due, one conversation at a time.

Meters of several protocols may share the line: what is sent and what an answer means, each meter's station says
(`drivers.meters.dialect`). An answer that is late is of no use to any other question: addresses, items and numbers
must match, and a meter that was silent is left alone for its latency before it is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.changes import Worth
from drivers.commands import QueuedCommand
from drivers.errors import DriverError, FrameError, Silence, WireDown
from drivers.meters.dialect import Ask, Denied, Foreign, More, Said, Station, Talk, Verdict
from drivers.meters.framing import Frames
from drivers.meters.wire import Line
from drivers.owner import Owner
from drivers.reports import PointsRead, Sink
from drivers.schedule import Readable, Turn
from drivers.tap import Tap

GAP_S = 0.5
"""A frame that was begun and pauses for so long will not be finished (DL/T 645-2007, section 5.3: 500 ms)."""

UNANSWERED = (30, 0.25)
"""Characters and seconds that are waited for an answer which mostly does not come: a slave begins it within 330 bits
and 50 ms (EN 13757-2:2018, section 5.5.2), the rest is for converters."""

EXCHANGES_LIMIT = 64
"""Exchanges of one conversation: more than the longest answer has frames."""

MUTE_LIMIT = 4
"""So many questions in a row without a single byte: the connection to a converter is opened anew."""


class Unusable(FrameError):
    """A sound answer to the very question whose content is not what the product sends: the meter is there."""


class Timing(NamedTuple):
    """What a line costs. `character_s`: one byte on the wire; `timeout_s`: how long an answer may take to begin."""

    character_s: float
    timeout_s: float


class MeterBus(Owner[Callable[[], Talk], Readable]):
    """One meter line (see `drivers.bus.Bus`). `clock`: Unix ms. `zone`: the site's, for clocks that are set."""

    def __init__(
        self,
        id: str,
        line: Line,
        stations: Mapping[str, Station],
        timing: Timing,
        *,
        sink: Sink,
        clock: Callable[[], int],
        zone: tzinfo | None = None,
        tap: Tap | None = None,
    ) -> None:
        super().__init__(id, line, stations, sink=sink, clock=clock, timeout_s=timing.timeout_s, tap=tap)
        self._line = line
        self._stations = dict(stations)
        self._timing = timing
        self._zone = zone
        self._quiet: dict[str, float] = {}
        """Until when a meter that was silent is left alone."""
        self._quiet_since = 0.0
        self._mute = 0

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Carries out a command of the device's profile."""
        station = self._station(device)

        def talk() -> Talk:
            """As it is sent: the time of day in it is not that of the asking."""
            return station.write(point, value, datetime.fromtimestamp(self._clock() / 1000, self._zone))

        talk()  # what the product does not take is refused before it waits for its turn
        await self._commands.ask(device, talk, within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """A meter has no outputs."""
        raise CommandFailed(f"{device} is a meter, it has no outputs", f"{device} 是表计，没有输出")

    def _station(self, device: str) -> Station:
        station = self._stations.get(device)
        if station is None:
            raise self._unknown(device)
        return station

    async def _dial(self, timeout_s: float) -> None:
        await self._line.open()
        self._mute = 0

    # --- Reading

    async def _read(self, turn: Turn[Readable]) -> None:
        loop = asyncio.get_running_loop()
        station = self._stations[turn.device]
        quiet_until = self._quiet.get(turn.device, 0.0)
        if quiet_until > loop.time():
            self._timetable.postpone(turn.device, quiet_until)
            return
        try:
            verdict = await self._read_twice(station, turn)
        except Unusable as strange:
            self.refuse(str(strange), strange.raw)
            verdict = None
        except (Silence, WireDown, FrameError) as fault:
            self._missed(station, fault, loop.time())
            return
        self._found(station.device, loop.time())
        if not isinstance(verdict, Said):
            self._denied(station, turn, loop.time())
        else:
            self._timetable.read(turn, loop.time())
            self.health.overruns, self.health.missed = self._timetable.overruns, self._timetable.missed
            self._tell(station, verdict.worths, loop.time())

    async def _read_twice(self, station: Station, turn: Turn[Readable]) -> Said | Denied:
        """A damaged answer is asked for once more at once; a silent meter is not."""
        talk = station.read(turn.block)
        try:
            return await self._converse(station, talk)
        except FrameError as damaged:
            if turn.probe:
                raise
            self.refuse(str(damaged), damaged.raw)
        return await self._converse(station, station.again(turn.block, talk))

    def _tell(self, station: Station, worths: Sequence[Worth], now: float) -> None:
        news = station.changes.news(worths, now, self._clock())
        if news:
            self._sink(PointsRead(station.device, news))

    def _denied(self, station: Station, turn: Turn[Readable], now: float) -> None:
        parts = station.parts(turn.block)
        self._timetable.refused(turn, parts, now)
        if not parts:
            self._tell(station, station.denied(turn.block), now)

    # --- Who is there

    def _missed(self, station: Station, fault: DriverError, now: float) -> None:
        if isinstance(fault, Silence):
            self.health.timeouts += 1
        elif isinstance(fault, FrameError):
            self.refuse(str(fault), fault.raw)
        if isinstance(fault, WireDown):
            self._hang_up()
        self._quiet[station.device] = now + station.latency_s
        self._silent(station.device, str(fault), station.latency_s, self._timing.timeout_s)

    # --- Commands

    async def _serve(self, command: QueuedCommand[Callable[[], Talk]]) -> None:
        loop = asyncio.get_running_loop()
        station = self._stations[command.device]
        try:
            await self._carry_out(station, command)
        except CommandFailed as failed:
            command.fail(failed)
        except Unusable as strange:
            self.refuse(str(strange), strange.raw)
            command.fail(CommandFailed(f"{command.device}: {strange}", f"{command.device} 的应答有误"))
        except (Silence, WireDown, FrameError) as fault:
            self._missed(station, fault, loop.time())
            if self._line.remote:
                self._hang_up()  # what the network has not taken yet would reach the meter whenever it comes back
            zh = "的应答有误" if isinstance(fault, FrameError) else "没有应答"
            command.fail(CommandFailed(f"{command.device}: {fault}", f"{command.device} {zh}"))
        else:
            self._timetable.soon(command.device, loop.time())
            command.fulfil()

    async def _carry_out(self, station: Station, command: QueuedCommand[Callable[[], Talk]]) -> None:
        """A confirmation does not say what it confirms: a meter that was silent is given time for its late answers."""
        loop = asyncio.get_running_loop()
        if not self._line.connected and not await self._open(self._timing.timeout_s):
            raise CommandFailed(f"{self._line.name} cannot be reached", f"无法连接 {self._line.name}")
        quiet_s = self._quiet.get(command.device, 0.0) - loop.time()
        if quiet_s > 0:
            await asyncio.sleep(min(quiet_s, command.left(loop.time())))
        await self._guard(station)
        verdict = await self._converse(station, command.what(), command)
        if isinstance(verdict, Denied):
            raise CommandFailed(f"{command.device}: {verdict.why.en}", f"{command.device}：{verdict.why.zh}")

    # --- One conversation

    async def _converse(
        self, station: Station, talk: Talk, command: QueuedCommand[Callable[[], Talk]] | None = None
    ) -> Said | Denied:
        """Asks until `talk` is over. Raises `Silence`, `WireDown`, `FrameError`; `CommandFailed` for a late command."""
        loop = asyncio.get_running_loop()
        for _ in range(EXCHANGES_LIMIT):
            timeout_s = self._timing.timeout_s
            if command is not None:
                timeout_s = min(timeout_s, command.left(loop.time()))
            verdict = await self._exchange(station, talk, timeout_s)
            if isinstance(verdict, Said | Denied):
                return verdict
        raise FrameError(f"{station.device}: an answer without an end")

    async def _exchange(self, station: Station, talk: Talk, timeout_s: float) -> Verdict:
        loop = asyncio.get_running_loop()
        await self._guard(station)
        ask = talk.ask()
        if ask.unanswered:
            characters, more_s = UNANSWERED
            timeout_s = min(timeout_s, characters * self._timing.character_s + more_s)
        self.health.exchanges += 1
        self.tap.about = station.device
        frames = station.frames()
        if frames.feed(self._line.send(ask.frame)):
            self.health.late += 1
        frames.clear()
        sent_at = loop.time() + len(ask.frame) * self._timing.character_s
        try:
            if ask.longest == 0:
                await asyncio.sleep(max(0.0, sent_at - loop.time()))
                return Said()
            return await self._answer(station, talk, ask, frames, sent_at + timeout_s)
        except Silence:
            if not ask.unanswered:
                raise
            return More()
        finally:
            self._quiet_since = loop.time()

    async def _guard(self, station: Station) -> None:
        """Silence before a request: what the meter needs, and at least two characters."""
        loop = asyncio.get_running_loop()
        guard_s = max(station.guard_s, 2 * self._timing.character_s)
        left = self._quiet_since + guard_s - loop.time()
        if left > 0:
            await asyncio.sleep(left)

    async def _answer(self, station: Station, talk: Talk, ask: Ask, frames: Frames, first_by: float) -> Verdict:
        """Waits for the answer: until `first_by` for its beginning, as long as it may be for its end."""
        loop = asyncio.get_running_loop()
        whole_by = first_by + ask.longest * self._timing.character_s + GAP_S
        until, heard, foreign = first_by, False, None
        while True:
            data = await self._line.received(until)
            heard = heard or bool(data)
            for frame in frames.feed(data) if data else frames.quiet():
                if ask.frame.endswith(frame):
                    continue  # the adapter's echo
                verdict = self._heard(talk, frame)
                if not isinstance(verdict, Foreign):
                    self._mute = 0
                    return verdict
                foreign = verdict
                self.health.late += verdict.late
            if not data:
                self._fail(station, ask, frames, foreign, heard)
            until = max(first_by, min(whole_by, loop.time() + GAP_S)) if frames.begun else first_by

    def _heard(self, talk: Talk, frame: bytes) -> Verdict:
        try:
            return talk.heard(frame)
        except FrameError as strange:
            self._mute = 0
            raise Unusable(str(strange)) from strange

    def _fail(self, station: Station, ask: Ask, frames: Frames, foreign: Foreign | None, heard: bool) -> None:
        """No answer has come: says what has come instead."""
        self._mute = 0 if heard else self._mute + 1
        if self._line.remote and self._mute >= MUTE_LIMIT:
            self._hang_up()
        if frames.wrong is not None:
            raise FrameError("a damaged answer or echo") if ask.secret else frames.wrong
        if foreign is not None and not foreign.late:
            raise FrameError(f"{station.device}: {foreign.why}")
        raise Silence(f"{station.device} did not answer within {self._timing.timeout_s:g} s")
