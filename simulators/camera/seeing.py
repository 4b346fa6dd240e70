"""What every simulated camera does, whatever it speaks: takes what the lane's loop triggered, looks, draws, counts."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from simulators.camera.picture import shot
from simulators.camera.zhenshi import CameraIdentity, Seen
from simulators.machines.entrances import LanePart
from simulators.site import SimSite, Unfit
from simulators.world.lane import Car

SHOTS_LIMIT = 16
CLOCK_OFF_MS = 2 * 3_600_000
LAST_LIMIT = 5


class Pushed(NamedTuple):
    """How a read fared. `sent`: it went out; `stored`: it waits in the camera; `lift`: the answer told it to lift."""

    plate_id: int
    sent: bool
    stored: bool = False
    lift: bool = False


class SeesCars(Protocol):
    """A camera as those who drive cars up need it."""

    def expect(self, ticket: int) -> asyncio.Future[Pushed]:
        """Tells when the car with this ticket was seen and told of."""

    def forget(self, ticket: int) -> None:
        """Nobody waits for this car any more."""

    async def replay(self, ago_s: float) -> Pushed:
        """Its last read is sent once more, as somebody would who recorded it (`Eye.recorded`)."""


class Eye:
    """The eye of one camera. `look` is called after each step of the world; `next` gives the cars in their order."""

    def __init__(self, id_: str, site: SimSite) -> None:
        self.id = id_
        self.site = site
        self.lane: LanePart | None = next((p for p in site.lanes.values() if p.config.camera == id_), None)
        self.identity = CameraIdentity(name=id_, serial=f"sim-{id_}", timezone=site.site.timezone)
        self.last: deque[Seen] = deque(maxlen=LAST_LIMIT)
        self._caption = self.lane.config.name.zh if self.lane is not None else id_
        self._rng = Random(id_)
        # A restarted camera must not repeat the numbers of its reads, or they would be taken for repeats.
        self._next_id = int(time.time()) % 1_000_000_000
        self._shots: asyncio.Queue[Car] = asyncio.Queue(SHOTS_LIMIT)
        self._expected: dict[int, asyncio.Future[Pushed]] = {}

    def has(self, *faults: str) -> bool:
        """Whether the camera has one of these faults now."""
        return self.site.faults.any_of(self.id, *faults) is not None

    def expect(self, ticket: int) -> asyncio.Future[Pushed]:
        """Tells when the car with this ticket was seen and told of."""
        self._expected[ticket] = future = asyncio.get_running_loop().create_future()
        return future

    def forget(self, ticket: int) -> None:
        """Nobody waits for this car any more."""
        self._expected.pop(ticket, None)

    def settle(self, car: Car, pushed: Pushed) -> None:
        """What became of the read of this car; a camera that was told so lifts the barrier on its output."""
        if pushed.lift:
            self.lift()
        future = self._expected.pop(car.ticket, None)
        if future is not None and not future.done():
            future.set_result(pushed)

    def lift(self) -> None:
        """The camera closes its own output."""
        if self.lane is not None:
            self.lane.lift()

    def recorded(self, ago_s: float) -> Seen:
        """The last read as it was, or, with `ago_s`, one as it would have been sent so long before it.

        `Unfit` if the camera has read nothing yet.
        """
        if not self.last:
            raise Unfit(f"{self.id} has read no plate yet: drive a car up first")
        last = self.last[-1]
        if not ago_s:
            return last
        return replace(last, at_ms=last.at_ms - round(ago_s * 1000), plate_id=max(1, last.plate_id - round(ago_s) - 1))

    def look(self) -> None:
        """Takes what the lane's loop triggered."""
        if self.lane is not None and self.lane.shots:
            for car in self.lane.shots:
                if not self._shots.full():
                    self._shots.put_nowait(car)
            self.lane.shots = []

    def capture(self) -> None:
        """Somebody asks for a read of whatever stands there."""
        if self.lane is not None and self.lane.lane.cars and not self._shots.full():
            self._shots.put_nowait(self.lane.lane.cars[0])

    def now_ms(self) -> int:
        """What time it is by the camera's clock, Unix ms."""
        return time.time_ns() // 1_000_000 + (CLOCK_OFF_MS if self.has("clock-off") else 0)

    async def next(self) -> Car:
        """The next car that the loop triggered."""
        return await self._shots.get()

    async def see(self, car: Car) -> Seen:
        """The plate as the camera reads it, with a picture of it. No plate: ""."""
        blind = not car.plate or self.has("blind")
        plate = "" if blind else car.plate
        at_ms = self.now_ms()
        local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self.identity.timezone))
        caption = f"{local:%Y-%m-%d %H:%M:%S}  {self._caption}  {plate or '_无_'}"
        self._next_id += 1
        picture = await asyncio.to_thread(shot, plate, caption, self._next_id)
        confidence = car.confidence if car.confidence is not None else self._rng.randint(90, 99)
        seen = Seen(plate, self._next_id, at_ms, 0 if blind else confidence, picture)
        self.last.append(seen)
        return seen
