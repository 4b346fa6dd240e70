"""Plate cameras on the network: push what they see, beat, store while nobody answers, send the stored reads later."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx
import structlog

from simulators.camera.picture import shot
from simulators.camera.push import NO_PLATE, CameraIdentity, Seen, heartbeat_form, plate_body, verdict
from simulators.parts.entrances import LanePart
from simulators.site import SimSite
from simulators.world.lane import Car

BEAT_S = 30.0
BEAT_ALONE_S = 5.0
ANSWER_WITHIN_S = 5.0
TRIES = 3
RETRY_S = 1.0
STORE_LIMIT = 200
SHOTS_LIMIT = 16
REPLAY_LAST = 5

log = structlog.get_logger("simulators.camera")


class Pushed(NamedTuple):
    """How a read fared. `sent`: the gateway answered; `stored`: it waits in the camera; `lift`: the answer was "ok"."""

    plate_id: int
    sent: bool
    stored: bool
    lift: bool


class HttpPushWire:
    """Every camera of one push bus."""

    def __init__(self, id_: str, site: SimSite, gateway_url: str) -> None:
        self.id = id_
        lanes = {part.config.camera: part for part in site.lanes.values()}
        self.cameras = {
            device.id: Camera(device.id, site, lanes.get(device.id), f"{gateway_url.rstrip('/')}/push/{device.id}")
            for device in site.devices.values()
            if device.config.bus == id_
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Starts the cameras; they come from this machine, which the wires entry allows."""
        for camera in self.cameras.values():
            self._tasks += [asyncio.create_task(camera.push_all()), asyncio.create_task(camera.beat())]
        return {"allow": ["127.0.0.0/8"]}

    async def attend(self) -> None:
        """Fetches what the lanes' cameras saw."""
        for camera in self.cameras.values():
            camera.look()

    async def close(self) -> None:
        """Ends the cameras."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for camera in self.cameras.values():
            await camera.close()


class Camera:
    """One camera. `push_all` owns its way to the gateway; `beat` says that it is there and sends what was stored."""

    def __init__(self, id_: str, site: SimSite, lane: LanePart | None, url: str) -> None:
        self.id = id_
        self._site = site
        self._lane = lane
        self._url = url
        name = lane.config.name.zh if lane is not None else id_
        self._identity = CameraIdentity(name=id_, serial=f"sim-{id_}", timezone=site.site.timezone)
        self._caption = name
        self._rng = Random(id_)
        # A restarted camera must not repeat the numbers of its reads, or they would be taken for repeats.
        self._next_id = int(time.time()) % 1_000_000_000
        self._shots: asyncio.Queue[Car] = asyncio.Queue(SHOTS_LIMIT)
        self._store: deque[Seen] = deque(maxlen=STORE_LIMIT)
        self._last: deque[Seen] = deque(maxlen=REPLAY_LAST)
        self._expected: dict[int, asyncio.Future[Pushed]] = {}
        self._beat_now = asyncio.Event()
        self._alone = False
        self._replaying = False
        self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN_S)

    def expect(self, ticket: int) -> asyncio.Future[Pushed]:
        """Tells when the car with this ticket was seen and pushed."""
        self._expected[ticket] = future = asyncio.get_running_loop().create_future()
        return future

    def forget(self, ticket: int) -> None:
        """Nobody waits for this car any more."""
        self._expected.pop(ticket, None)

    def look(self) -> None:
        """Takes what the lane's loop triggered; starts a replay when somebody asks for one."""
        if self._lane is not None and self._lane.shots:
            for car in self._lane.shots:
                if not self._shots.full():
                    self._shots.put_nowait(car)
            self._lane.shots = []
        replaying = self._site.faults.has(self.id, "replay")
        if replaying and not self._replaying:
            self._store.extend(self._last)
            self._beat_now.set()
        self._replaying = replaying

    async def push_all(self) -> None:
        """Pushes one read after the other, for ever."""
        while True:
            car = await self._shots.get()
            pushed = await self._push_car(car)
            future = self._expected.pop(car.ticket, None)
            if future is not None and not future.done():
                future.set_result(pushed)

    async def beat(self) -> None:
        """Heartbeats, more often while nobody answers; the stored reads follow one that was answered."""
        while True:
            if not self._away():
                await self._beat_once()
            self._beat_now.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._beat_now.wait(), BEAT_ALONE_S if self._alone or self._store else BEAT_S)

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    # --- One read

    async def _push_car(self, car: Car) -> Pushed:
        seen = await self._see(car)
        if self._site.faults.has(self.id, "silent"):
            return Pushed(seen.plate_id, sent=False, stored=False, lift=False)
        self._last.append(seen)
        if self._away():
            return self._keep(seen)
        times = 3 if self._site.faults.has(self.id, "repeat") else 1
        lift = False
        for _ in range(times):
            said = await self._push(seen)
            if said is None:
                return self._keep(seen)
            lift = lift or said
        if lift and self._lane is not None:
            self._lane.lift()
        return Pushed(seen.plate_id, sent=True, stored=False, lift=lift)

    async def _see(self, car: Car) -> Seen:
        blind = not car.plate or self._site.faults.has(self.id, "blind")
        plate = NO_PLATE if blind else car.plate
        at_ms = time.time_ns() // 1_000_000
        local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self._identity.timezone))
        caption = f"{local:%Y-%m-%d %H:%M:%S}  {self._caption}  {plate}"
        self._next_id += 1
        picture = await asyncio.to_thread(shot, "" if blind else plate, caption, self._next_id)
        confidence = car.confidence if car.confidence is not None else self._rng.randint(90, 99)
        return Seen(plate, self._next_id, at_ms, 0 if blind else confidence, picture)

    def _keep(self, seen: Seen) -> Pushed:
        self._store.append(seen)
        self._alone = True
        self._beat_now.set()
        return Pushed(seen.plate_id, sent=False, stored=True, lift=False)

    async def _push(self, seen: Seen) -> bool | None:
        """Whether the answer was "ok"; None if nobody took the read."""
        replayed = self._site.faults.has(self.id, "replay")
        body = plate_body(self._identity, seen, replayed=replayed, missing=self._site.faults.has(self.id, "missing"))
        if self._site.faults.has(self.id, "corrupt"):
            body = body[: len(body) * 2 // 3]
        for again in range(TRIES):
            try:
                said = await self._post(body)
            except httpx.TimeoutException:
                said = None
            except httpx.HTTPError:
                return None
            if said is not None:
                return said
            await asyncio.sleep(RETRY_S * (again + 1))
        log.warning("nobody took the read", camera=self.id, plate_id=seen.plate_id)
        return None

    async def _post(self, body: bytes) -> bool | None:
        answer = await self._client.post(self._url, content=body, headers={"Content-Type": "application/json"})
        found = verdict(answer.status_code, answer.content)
        return found.lift if found.taken else None

    # --- Heartbeat and stored reads

    async def _beat_once(self) -> None:
        try:
            answer = await self._client.post(self._url, files=heartbeat_form(self._identity))
            self._alone = answer.status_code >= 400
        except httpx.HTTPError:
            self._alone = True
        if not self._alone:
            await self._send_stored()

    async def _send_stored(self) -> None:
        while self._store and not self._away():
            seen = self._store[0]
            body = plate_body(self._identity, seen, replayed=True)
            try:
                if await self._post(body) is None:
                    return
            except httpx.HTTPError:
                self._alone = True
                return
            # A full store may have dropped it meanwhile.
            if self._store and self._store[0] is seen:
                self._store.popleft()

    def _away(self) -> bool:
        return self._site.faults.any_of(self.id, "offline", "silent") is not None
