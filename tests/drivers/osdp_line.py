"""A line of simulated OSDP readers and the driver on it, over a real pty or TCP, in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.site import Site
from drivers.bus import Bus
from drivers.errors import FrameError
from drivers.opening import open_bus
from drivers.osdp.bus import OsdpBus
from drivers.osdp.codec import Frame, read
from drivers.osdp.keys import KeyStore
from drivers.profiles.files import load
from simulators.osdp.reader import SimReader
from simulators.osdp.wires import OsdpReaders, OsdpSerialWire, OsdpTcpWire
from simulators.site import SimSite
from simulators.wires import wires_of
from tests.drivers.sinks import Heard

KEY = bytes(range(16))
CARD = "0DC3AB"

SERIAL = {"kind": "osdp-serial", "port": "/dev/null", "baud": 115200}
TCP = {"kind": "osdp-tcp", "host": "localhost", "port": 1}


@dataclass
class OsdpLine:
    """What a test works with. `heard`: the driver's reports; `asked`: every frame that came to the readers."""

    bus: OsdpBus
    site: SimSite
    wire: OsdpSerialWire | OsdpTcpWire
    heard: Heard
    folder: Path
    asked: list[Frame] = field(default_factory=list)

    def reader(self, id: str) -> SimReader:
        """One of the simulated readers."""
        return self.wire.readers.reader(id)

    def fault(self, device: str, name: str) -> None:
        """Breaks a reader at once."""
        self.site.put_fault(device, name, None)
        self.wire.readers.attend()

    def mend(self) -> None:
        """Takes all faults away at once."""
        self.site.faults.clear()
        self.wire.readers.attend()

    async def online(self, *readers: str, within_s: float = 30.0) -> None:
        """Waits until the driver has them."""
        await self.until(lambda: all(self.bus.online(reader) for reader in readers), within_s)

    async def until(self, true: Callable[[], object], within_s: float = 30.0) -> None:
        """Waits until `true`, looking again after each exchange."""
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - the other end is a reader: it can only be looked at
                await asyncio.sleep(0.005)


def keyed(folder: Path, *readers: str, key: bytes = KEY) -> None:
    """Both ends hold the key."""
    for reader in readers:
        KeyStore(folder / "gateway").settle(reader, key)
        file = folder / "line" / "osdp" / f"{reader}.key"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(key.hex())


@asynccontextmanager
async def osdp_line(folder: Path, readers: dict[str, dict[str, Any]], bus: dict[str, Any]) -> AsyncIterator[OsdpLine]:
    """A running line. `readers`: by id, what the site file says beside the bus."""
    document = {
        "site": "yard",
        "name": {"zh": "院", "en": "Yard"},
        "gateway": "yard-gw",
        "buses": {"wire": bus},
        "devices": {id: {"profile": "osdp_reader", "bus": "wire", **said} for id, said in readers.items()},
    }
    site = Site.model_validate(document)
    profiles = {id: load(device.profile) for id, device in site.devices.items()}
    sim = SimSite(site, {device.profile: profiles[id] for id, device in site.devices.items()})
    wire = wires_of(sim, {}, folder / "line", "", paced=False)["wire"]
    assert isinstance(wire, (OsdpSerialWire, OsdpTcpWire))
    entry = await wire.open({})
    heard = Heard()
    driver: Bus = open_bus(
        "wire",
        site.buses["wire"].model_copy(update=entry),
        {id: (device, profiles[id]) for id, device in site.devices.items()},
        sink=heard,
        clock=lambda: int(time.time() * 1000),
        folder=folder / "gateway",
    )
    assert isinstance(driver, OsdpBus)
    line = OsdpLine(driver, sim, wire, heard, folder)
    _listen(wire.readers, line.asked)
    tasks = [asyncio.create_task(_live(sim, wire)), asyncio.create_task(driver.run())]
    try:
        await line.until(lambda: driver.health.connected)
        yield line
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await wire.close()


def _listen(readers: OsdpReaders, asked: list[Frame]) -> None:
    """Notes what comes, before anybody answers."""
    hear = readers.hear

    def noting(frames: Any, data: bytes, say: Callable[[bytes], object]) -> None:
        asked.extend(frame for frame in _whole(data) if not frame.reply)
        hear(frames, data, say)

    readers.hear = noting  # type: ignore[method-assign]


def _whole(data: bytes) -> list[Frame]:
    try:
        return [read(data)]
    except FrameError:
        return []


async def _live(site: SimSite, wire: OsdpSerialWire | OsdpTcpWire) -> None:
    while True:
        site.step(time.monotonic(), 12.0)
        await wire.attend()
        await asyncio.sleep(0.02)
