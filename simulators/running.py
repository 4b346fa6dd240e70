"""A running set of simulators: the world stepped ten times a second, its wires, its rhythm, and its control API."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
import uvicorn

from simulators.api import build_api
from simulators.camera.seeing import SeesCars
from simulators.ends import HasKeypads, NobodyListens, ReadsCards
from simulators.machines.entrances import DoorPart
from simulators.memory import SAVE_EVERY_S, keep, recall
from simulators.ports import LOOPBACK, listening_socket
from simulators.rhythm import Rhythm, Visit
from simulators.site import SimSite, Unfit
from simulators.wires import Known, read_wires, wires_of, write_wires

STEP_S = 0.1
PUSHED_WITHIN_S = 25.0
ARRIVES_S = 0.2
PATIENCE_S = 60.0

log = structlog.get_logger("simulators")


@dataclass(frozen=True, slots=True)
class Places:
    """Files and addresses of one run. `wires_in`: wires that exist already."""

    wires: Path
    data: Path
    gateway_url: str
    wires_in: Path | None = None
    paced: bool = True


class Running:
    """The stage that the control API acts on (`simulators.api.Stage`)."""

    def __init__(self, site: SimSite, places: Places, rhythm: Rhythm, *, rhythm_on: bool) -> None:
        self.site = site
        self.url = ""
        self._places = places
        self._rhythm = rhythm
        self._rhythm_on = asyncio.Event()
        if rhythm_on:
            self._rhythm_on.set()
        self._zone = ZoneInfo(site.site.timezone)
        known = read_wires(places.wires_in)
        self._known: Known = known
        self._wires = wires_of(site, known, places.data.absolute(), places.gateway_url, paced=places.paced)
        self._tasks: list[asyncio.Task[None]] = []

    # --- Life

    async def open(self) -> None:
        """Opens every wire, then writes the wires file, then lets time run."""
        recall(self._memory, self.site)
        self._step()
        before = read_wires(self._places.wires)
        known: Known = {id_: dict(entry) for id_, entry in self._known.items()}
        for id_, wire in self._wires.items():
            entry = await wire.open(before.get(id_, {}))
            known[id_] = entry | known.get(id_, {})
        write_wires(self._places.wires, {id_: entry for id_, entry in known.items() if entry})
        self._tasks = [
            asyncio.create_task(self._live(), name="world"),
            asyncio.create_task(self._visits(), name="rhythm"),
            asyncio.create_task(self._remember(), name="memory"),
        ]

    async def close(self) -> None:
        """Stops time, keeps what was counted, takes the wires away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        keep(self._memory, self.site)
        for wire in self._wires.values():
            await wire.close()

    async def settle(self) -> None:
        """Lets what was just changed go out on the wires."""
        self._step()
        for wire in self._wires.values():
            await wire.attend()

    # --- What a person does

    async def present(self, reader: str, card: str, *, walk: bool) -> dict[str, Any]:
        """Shows a card; returns when its bytes are on the wire."""
        wire = self._wires[self.site.reader(reader).config.bus]
        assert isinstance(wire, ReadsCards)
        sent = await wire.present(reader, card)
        if walk:
            self.site.walk(reader)
        return {"reader": reader, "card": card, "sent": sent}

    async def type_keys(self, reader: str, keys: str) -> dict[str, Any]:
        """Types at a reader's keypad; the gateway fetches it when it asks next."""
        wire = self._wires[self.site.reader(reader).config.bus]
        if not isinstance(wire, HasKeypads):
            raise Unfit(f"{reader} has no keypad")
        return {"reader": reader, "sent": wire.type_keys(reader, keys)}

    async def drive_up(self, lane: str, plate: str, confidence: int | None) -> dict[str, Any]:
        """Drives a car up; returns when the camera pushed its plate, or stored it because nobody answers."""
        ticket = self.site.drive_up(
            lane, plate, patience_s=PATIENCE_S, arrives_s=ARRIVES_S, impatient=True, confidence=confidence
        )
        camera = self._camera_of(lane)
        seen = camera.expect(ticket)
        try:
            pushed = await asyncio.wait_for(seen, PUSHED_WITHIN_S)
        finally:
            camera.forget(ticket)
        return {"lane": lane, "plate": plate, "plateid": pushed.plate_id, "sent": pushed.sent, "stored": pushed.stored}

    async def replay(self, lane: str, ago_s: float) -> dict[str, Any]:
        """A lane's camera sends its last read once more; returns when it did, whether or not somebody took it."""
        pushed = await asyncio.wait_for(self._camera_of(lane).replay(ago_s), PUSHED_WITHIN_S)
        return {"lane": lane, "ago_s": ago_s, "plateid": pushed.plate_id, "sent": pushed.sent}

    def set_rhythm(self, on: bool) -> None:
        """People come and go, or not."""
        if on:
            self._rhythm_on.set()
        else:
            self._rhythm_on.clear()

    # --- Loops

    async def _live(self) -> None:
        while True:
            started = time.monotonic()
            try:
                await self.settle()
            except Exception:  # the world must go on; one bad step is told and the next one tried
                log.exception("a step of the world failed")
            await asyncio.sleep(max(0.01, STEP_S - (time.monotonic() - started)))

    async def _visits(self) -> None:
        while True:
            await self._rhythm_on.wait()
            await asyncio.sleep(self._rhythm.wait_s(self._hour()))
            visit = self._rhythm.visit()
            if visit is None:
                return
            if self._rhythm_on.is_set():
                await self._play(visit)

    async def _play(self, visit: Visit) -> None:
        try:
            if visit.by == "exit" or visit.value is None:
                await self._exit(self.site.doors[visit.place])
            elif visit.by == "plate":
                self.site.drive_up(visit.place, visit.value, patience_s=12.0, arrives_s=1.2, impatient=False)
            else:
                await self.present(visit.place, visit.value, walk=True)
        except (Unfit, NobodyListens) as wrong:
            log.debug("a visit came to nothing", place=visit.place, why=str(wrong))

    async def _exit(self, door: DoorPart) -> None:
        readers = [reader for reader in (door.config.reader_in, door.config.reader_out) if reader is not None]
        door.press_exit()
        if readers:
            self.site.walk(readers[0])

    async def _remember(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            keep(self._memory, self.site)

    def _step(self) -> None:
        self.site.step(time.monotonic(), self._hour())

    def _hour(self) -> float:
        local = datetime.now(self._zone)
        return local.hour + local.minute / 60 + local.second / 3600

    def _camera_of(self, lane: str) -> SeesCars:
        camera = self.site.device(self.site.lane(lane).config.camera)
        cameras: Mapping[str, SeesCars] = getattr(self._wires[camera.config.bus], "cameras", {})
        if camera.id not in cameras:
            raise Unfit(f"the camera of {lane} sees no cars")
        return cameras[camera.id]

    @property
    def _memory(self) -> Path:
        return self._places.data / "world.json"


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: it would end the process before the wires are taken away."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(running: Running, port: int, ready: asyncio.Event | None = None) -> None:
    """Runs until SIGINT or SIGTERM (or cancelled): wires first, then the control API."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, RuntimeError):
            loop.add_signal_handler(number, stop.set)
    sock = listening_socket(port or None)
    if port and sock.getsockname()[1] != port:
        sock.close()
        raise OSError(f"port {port} is taken")
    settings = uvicorn.Config(build_api(running), log_level="warning", lifespan="off", access_log=False)
    server = _Server(settings)
    try:
        await running.open()
        running.url = f"http://{LOOPBACK}:{sock.getsockname()[1]}"
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        log.info("every device stands", url=running.url, devices=len(running.site.devices))
        if ready is not None:
            ready.set()
        await stop.wait()
        server.should_exit = True
        await serving
    finally:
        server.should_exit = True
        await running.close()
        sock.close()
