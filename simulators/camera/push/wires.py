"""Plate cameras on the network: push what they see, beat, store while nobody answers, send the stored reads later."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from config.site import CameraBarrier
from drivers.camera.product import CameraOutput
from drivers.profiles.profile import PushedSource
from simulators.actions import OutputPulsed, OutputSet
from simulators.camera.makes import MAKES
from simulators.camera.seeing import Eye, Pushed
from simulators.camera.zhenshi import PushVerdict, Seen, input_body
from simulators.ends import Ends
from simulators.site import SimSite
from simulators.world.lane import Car

BEAT_S = 30.0
BEAT_ALONE_S = 5.0
COMET_S = 0.05
"""A camera in comet mode asks again at once; the network takes this long."""

ANSWER_WITHIN_S = 5.0
RETRY_S = 1.0
STORE_LIMIT = 200
SHOWN_LIMIT = 16

log = structlog.get_logger("simulators.camera")


class HttpPushWire:
    """Every camera of one push bus."""

    def __init__(self, id_: str, site: SimSite, gateway_url: str) -> None:
        self.id = id_
        self.cameras = {
            device.id: Camera(device.id, site, f"{gateway_url.rstrip('/')}/push/{device.id}")
            for device in site.devices.values()
            if device.config.bus == id_
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Starts the cameras; they come from this machine, which the wires entry allows."""
        for camera in self.cameras.values():
            self._tasks += [asyncio.create_task(work) for work in (camera.push_all(), camera.beat(), camera.tell())]
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
    """One camera. `push_all` owns its reads, `beat` its signs of life and what is stored, `tell` its inputs.

    `comet`: it asks for commands all the time, as an installer sets a camera that moves a barrier.
    """

    def __init__(self, id_: str, site: SimSite, url: str) -> None:
        self.id = id_
        self.eye = Eye(id_, site)
        self.shown: deque[bytes | str] = deque(maxlen=SHOWN_LIMIT)
        self._site = site
        self._device = site.device(id_)
        self._make = MAKES[self._device.profile.dialect or ""]
        lane = self.eye.lane
        self.comet = lane is not None and isinstance(lane.config.barrier, CameraBarrier)
        self._url = url
        self._store: deque[Seen] = deque(maxlen=STORE_LIMIT)
        self._beat_now = asyncio.Event()
        self._alone = False
        self._replaying = False
        self._inputs = self._inputs_now()
        self._changed: asyncio.Queue[tuple[int, bool]] = asyncio.Queue(SHOWN_LIMIT)
        self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False)

    def expect(self, ticket: int) -> asyncio.Future[Pushed]:
        """Tells when the car with this ticket was seen and pushed."""
        return self.eye.expect(ticket)

    def forget(self, ticket: int) -> None:
        """Nobody waits for this car any more."""
        self.eye.forget(ticket)

    def look(self) -> None:
        """Takes what the lane's loop triggered; starts a replay when somebody asks for one; sees its inputs."""
        self.eye.look()
        replaying = self.eye.has("replay")
        if replaying and not self._replaying:
            self._store.extend(self.eye.last)
            self._beat_now.set()
        self._replaying = replaying
        inputs = self._inputs_now()
        for number, (before, now) in enumerate(zip(self._inputs, inputs, strict=True)):
            if before != now and not self._changed.full():
                self._changed.put_nowait((number, now))
        self._inputs = inputs

    async def push_all(self) -> None:
        """Pushes one read after the other, for ever."""
        while True:
            car = await self.eye.next()
            self.eye.settle(car, await self._push_car(car))

    async def beat(self) -> None:
        """Heartbeats, more often while nobody answers; the stored reads follow one that was answered."""
        while True:
            if not self._away():
                await self._beat_once()
            self._beat_now.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._beat_now.wait(), self._pause_s())

    async def tell(self) -> None:
        """Says which of its inputs have changed."""
        while True:
            number, on = await self._changed.get()
            with contextlib.suppress(httpx.HTTPError):
                if not self._away():
                    await self._post(input_body(self.eye.identity, number, on), "application/json")

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def replay(self, ago_s: float) -> Pushed:
        """Its last read once more, as somebody would push it who recorded it: it is not marked as a stored one."""
        pushed = await self._tell(self.eye.recorded(ago_s))
        if pushed.lift:
            self.eye.lift()
        return pushed

    # --- One read

    async def _push_car(self, car: Car) -> Pushed:
        return await self._tell(await self.eye.see(car))

    async def _tell(self, seen: Seen) -> Pushed:
        if self.eye.has("silent"):
            return Pushed(seen.plate_id, sent=False)
        if self._away():
            return self._keep(seen)
        lift = False
        for _ in range(3 if self.eye.has("repeat") else 1):
            said = await self._push(seen)
            if said is None:
                return self._keep(seen)
            lift = lift or said.lift
        return Pushed(seen.plate_id, sent=True, lift=lift)

    def _keep(self, seen: Seen) -> Pushed:
        self._alone = True
        self._beat_now.set()
        if self._make.stores:
            self._store.append(seen)
        return Pushed(seen.plate_id, sent=False, stored=self._make.stores)

    async def _push(self, seen: Seen) -> PushVerdict | None:
        """What the answer means; None if nobody took the read."""
        body, kind = self._make.read(self.eye.identity, seen, self.eye.has("replay"), self.eye.has)
        if self.eye.has("corrupt"):
            body = body[: len(body) * 2 // 3]
        for again in range(self._make.tries):
            try:
                said = await self._post(body, kind)
            except httpx.TimeoutException:
                said = None
            except httpx.HTTPError:
                return None
            if said is not None:
                return said
            if again + 1 < self._make.tries:
                await asyncio.sleep(RETRY_S * (again + 1))
        log.warning("nobody took the read", camera=self.id, plate_id=seen.plate_id)
        return None

    async def _post(self, body: bytes, kind: str) -> PushVerdict | None:
        answer = await self._client.post(self._url, content=body, headers={"Content-Type": kind})
        found = self._make.verdict(answer.status_code, answer.content)
        if not found.taken:
            return None
        self._obey(found)
        return found

    def _obey(self, told: PushVerdict) -> None:
        outputs = {o.number: o.id for o in self._device.profile.outputs.values() if isinstance(o, CameraOutput)}
        for number, seconds in told.pulses:
            self._device.act(OutputPulsed(outputs[number], seconds))
            if number == 0:
                self.eye.lift()
        for number, on in told.switched:
            self._device.act(OutputSet(outputs[number], on))
        if told.capture:
            self.eye.capture()
        self.shown.extend(told.shown)
        if told.said:
            self.shown.append(told.said)

    # --- Heartbeat and stored reads

    def _pause_s(self) -> float:
        if self.comet and not self._alone:
            return COMET_S
        return BEAT_ALONE_S if self._alone or self._store else BEAT_S

    async def _beat_once(self) -> None:
        body, kind = self._make.heartbeat(self.eye.identity, self.eye.has, self.eye.now_ms())
        try:
            answer = await self._client.post(self._url, content=body, headers={"Content-Type": kind})
            self._alone = answer.status_code >= 400
        except httpx.HTTPError:
            self._alone = True
        if self._alone:
            return
        if self.comet:
            told = self._make.verdict(answer.status_code, answer.content)
            self._obey(told)
            if told.lift:
                self.eye.lift()
        await self._send_stored()

    async def _send_stored(self) -> None:
        while self._store and not self._away():
            seen = self._store[0]
            body, kind = self._make.read(self.eye.identity, seen, True, self.eye.has)
            try:
                if await self._post(body, kind) is None:
                    return
            except httpx.HTTPError:
                self._alone = True
                return
            # A full store may have dropped it meanwhile.
            if self._store and self._store[0] is seen:
                self._store.popleft()

    def _inputs_now(self) -> tuple[bool, ...]:
        points = [point.id for point in self._device.profile.points.values() if isinstance(point.source, PushedSource)]
        return tuple(bool(self._device.value(point)) for point in points)

    def _away(self) -> bool:
        return self.eye.has("offline", "silent")


WIRES = Ends({"http-push": lambda of: HttpPushWire(of.id, of.site, of.gateway_url)})
