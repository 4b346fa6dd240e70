"""Devices that push to the gateway's own web server: who has been heard lately, what they said, what they are to do.

The web server owns the connections; this is the place where their silence is noticed, and where commands wait for the
camera to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from contract.readings import Reading, Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.camera.dialects import DIALECTS, Answer, Dialect, Said
from drivers.camera.fetched import HOLD_S, FetchedCommand, FetchedCommands
from drivers.camera.plates import Pushed
from drivers.camera.product import CameraOutput
from drivers.camera.zhenshi import AnswerCommand
from drivers.errors import FrameError
from drivers.installed import Clock
from drivers.presence import Presence
from drivers.profiles.profile import Profile
from drivers.reports import ClockTold, InputRefused, PointsRead, Sink


async def _there() -> bool:
    return False


class PushBus:
    """The cameras of one site (see `drivers.bus.Bus`). The web server calls `receive` with each push.

    Then it lets `fetch` find the command that the answer may carry, and `answer` write it. `clock`: Unix milliseconds.
    """

    def __init__(self, id: str, devices: Mapping[str, Profile], *, sink: Sink, clock: Clock) -> None:
        self.id = id
        self.health = BusHealth()
        self._devices = dict(devices)
        self._sink = sink
        self._clock = clock
        self._presence = Presence({device: profile.silent_s for device, profile in devices.items()}, sink)
        self._commands = {device: FetchedCommands(device) for device in self._devices if self._dialect(device).commands}

    async def run(self) -> None:
        """Watches for silence until cancelled."""
        self.health.connected = True
        self._presence.watch()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.health.connected = False
            self._presence.rest()

    def knows(self, device: str) -> bool:
        """Whether this device belongs here."""
        return device in self._devices

    # --- Pushes

    def receive(self, device: str, body: bytes, content_type: str, source: str = "") -> Pushed:
        """What a device of this bus pushed; it is there, whatever it said. Raises `FrameError`, counted and told.

        `source`: the address that it came from.
        """
        self.health.exchanges += 1
        self._presence.heard(device)
        self._spoke(device, source)
        try:
            pushed = self._dialect(device).parse(device, body, content_type)
        except FrameError as wrong:
            self.health.refused += 1
            self._sink(InputRefused(device, str(wrong), wrong.raw[:64]))
            raise
        if pushed.inputs:
            self._tell_inputs(device, pushed.inputs)
        if pushed.clock is not None:
            self._sink(ClockTold(device, pushed.clock.ms, pushed.clock.local))
        return pushed

    async def fetch(
        self, device: str, pushed: Pushed, gone: Callable[[], Awaitable[bool]] = _there
    ) -> FetchedCommand | None:
        """What the answer to this push is to ask of the camera; a camera that asks all the time is kept waiting.

        `gone`: whether it has hung up meanwhile; then the command waits for its next question.
        """
        commands = self._commands.get(device)
        if commands is None or not (pushed.heartbeat or pushed.reads):
            return None
        if pushed.heartbeat:
            commands.asked()
            if not commands.asks:
                return None
            await commands.wait(HOLD_S)
            if await gone():
                return None
        return commands.take()

    def answer(self, device: str, said: Said) -> Answer:
        """The answer that the camera understands."""
        return self._dialect(device).answer(said)

    def answered(self, device: str, pushed: Pushed) -> None:
        """The answer to a push has been sent."""
        commands = self._commands.get(device)
        if commands is not None and pushed.heartbeat:
            commands.answered()

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Lifts (`open`), reads a plate (`capture`), or switches an output, with the next answer."""
        profile = self._devices[device]
        if point in profile.commands:
            await self._ask(device, AnswerCommand("open" if point == "open" else "capture"), within_s)
            return
        output = profile.outputs.get(point)
        if not isinstance(output, CameraOutput) or not isinstance(value, bool):
            raise CommandFailed(f"{device} has nothing to write called {point}", f"{device} 没有可写的点位 {point}")
        await self._ask(device, AnswerCommand("on" if value else "off", output.number), within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output for `seconds`, timed by the camera, with the next answer."""
        found = self._devices[device].outputs.get(output)
        if not isinstance(found, CameraOutput):
            raise CommandFailed(f"{device} has no output {output}", f"{device} 没有输出 {output}")
        await self._ask(device, AnswerCommand("pulse", found.number, seconds), within_s)

    def show(self, reader: str, outcome: Outcome) -> None:
        """A camera shows nothing by itself."""

    def online(self, device: str) -> bool:
        """Whether the device was heard lately."""
        return self._presence.online(device)

    # --- Inside

    async def _ask(self, device: str, command: AnswerCommand, within_s: float) -> None:
        commands = self._commands.get(device)
        if commands is None:
            raise CommandFailed(f"{device} takes no orders, it is only answered", f"{device} 只接受应答，不能下发指令")
        await commands.ask(command, within_s)

    def _spoke(self, device: str, source: str) -> None:
        commands = self._commands.get(device)
        before = None if commands is None else commands.spoke(source)
        if before is not None:
            self.health.refused += 1
            self._sink(InputRefused(device, f"{source} speaks for it, {before} did before: no orders are handed out"))

    def _dialect(self, device: str) -> Dialect:
        dialect = self._devices[device].dialect
        assert dialect is not None
        return DIALECTS[dialect]

    def _tell_inputs(self, device: str, inputs: Mapping[str, bool]) -> None:
        points = self._devices[device].points
        at = self._clock()
        readings = tuple(
            Reading(point=f"{device}.{name}", value=value, quality="good", at=at)
            for name, value in inputs.items()
            if name in points
        )
        if readings:
            self._sink(PointsRead(device, readings))
