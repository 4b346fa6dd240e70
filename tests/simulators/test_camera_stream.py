"""A Dahua camera whose stream is fetched, between its simulator and the project's own driver, on a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config import load_site
from drivers.camera.stream.bus import AttachBus
from drivers.opening import open_bus
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PlateRead
from simulators.camera.stream.wires import AttachCamera, CameraHttpWire
from tests.drivers.sinks import Heard
from tests.simulators.camera_site import camera_site
from tests.simulators.stage import Stage, simulated


class Attached:
    """The simulated yard, one camera of it, and what the driver reports of it."""

    def __init__(self, stage: Stage, camera: AttachCamera, bus: AttachBus, heard: Heard) -> None:
        self.stage = stage
        self.camera = camera
        self.bus = bus
        self.heard = heard

    async def drive_up(self, plate: str = "沪A12345") -> bool:
        """A car comes; whether the camera told anybody."""
        said = await self.stage.post(f"/sim/lanes/lane-{self.camera.id}/drive-up", {"plate": plate})
        return bool(said["sent"])

    async def reads(self, count: int = 1) -> list[PlateRead]:
        """The first reads that came."""
        await self.heard.until(lambda: len(self.heard.of(PlateRead)) >= count)
        return self.heard.of(PlateRead)

    async def fault(self, name: str) -> None:
        """Breaks the camera."""
        await self.stage.post("/sim/faults", {"device": self.camera.id, "fault": name})


@asynccontextmanager
async def attached(folder: Path, camera: str = "dah", *, password: str | None = None) -> AsyncIterator[Attached]:
    site_file = camera_site(folder)
    async with simulated(folder, site_file=site_file) as stage:
        loaded = load_site(site_file, wires={id_: stage.wires[id_] for id_ in ("dahua-net", "pictured-net")})
        id_ = loaded.site.devices[camera].bus
        if password is not None:
            Path(stage.wires[id_]["password_file"]).write_text(password)
        heard = Heard()
        devices = {camera: (loaded.site.devices[camera], loaded.profile_of(camera))}
        bus = open_bus(id_, loaded.site.buses[id_], devices, sink=heard, clock=lambda: 0, folder=folder)
        assert isinstance(bus, AttachBus)
        wire = stage.running._wires[id_]
        assert isinstance(wire, CameraHttpWire)
        task = asyncio.create_task(bus.run())
        try:
            yield Attached(stage, wire.cameras[camera], bus, heard)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.stream.bus.RECONNECT_S", (0.05, 0.05, 0.1))


async def test_a_car_is_read_with_digest_authentication(tmp_path: Path) -> None:
    async with attached(tmp_path) as here:
        await here.heard.until(lambda: here.bus.online("dah"))
        assert await here.drive_up()
        [read] = await here.reads()
        assert (read.camera, read.plate, read.colour, read.replayed) == ("dah", "沪A12345", "blue", False)
        assert 0.9 <= read.confidence <= 0.99
        assert read.picture is None
        assert here.heard.of(DeviceFound) == [DeviceFound("dah")]
        assert here.bus.health.connected


async def test_a_stream_in_lines_says_the_same(tmp_path: Path) -> None:
    async with attached(tmp_path) as here:
        await here.heard.until(lambda: here.bus.online("dah"))
        here.camera.lines = True
        await here.drive_up("粤B88888")
        [read] = await here.reads()
        assert (read.plate, read.seen_at is not None) == ("粤B88888", True)


async def test_pictures_come_with_the_reads_where_they_are_asked_for(tmp_path: Path) -> None:
    async with attached(tmp_path, "pic") as here:
        await here.heard.until(lambda: here.bus.online("pic"))
        await here.drive_up()
        [read] = await here.reads()
        assert read.picture is not None
        assert len(read.picture) > 40_000  # the scene, not the cut-out


async def test_a_wrong_password_is_said_and_the_right_one_is_used_without_a_restart(tmp_path: Path) -> None:
    async with attached(tmp_path, password="wrong") as here:
        await here.heard.until(lambda: here.heard.of(DeviceLost))
        assert "password" in here.heard.of(DeviceLost)[0].why
        Path(here.stage.wires["dahua-net"]["password_file"]).write_text(here.camera.password)
        await here.heard.until(lambda: here.bus.online("dah"))


async def test_a_camera_off_the_network_is_lost_and_found_again(tmp_path: Path) -> None:
    async with attached(tmp_path) as here:
        await here.heard.until(lambda: here.bus.online("dah"))
        await here.fault("offline")
        await here.heard.until(lambda: here.heard.of(DeviceLost))
        await here.stage.api.delete("/sim/faults")
        await here.heard.until(lambda: len(here.heard.of(DeviceFound)) == 2)
        await here.drive_up()
        assert (await here.reads())[0].plate == "沪A12345"


async def test_a_silent_camera_is_lost(tmp_path: Path) -> None:
    async with attached(tmp_path) as here:
        await here.heard.until(lambda: here.bus.online("dah"))
        here.bus._silent_s = 0.2
        await here.fault("silent")
        await here.fault("offline")  # it comes back without a word
        await here.stage.api.delete("/sim/faults", params={"fault": "offline"})
        await here.heard.until(lambda: here.heard.of(DeviceLost))
        assert not await here.drive_up()


# fault → plates that are read (with the same key), and whether anything is refused
FAULTS = [
    ("repeat", ["沪A12345"] * 3, False),
    ("blind", [""], False),
    ("stop-events", ["沪A12345"], False),
    ("local-epoch", ["沪A12345"], False),
    ("missing", [], True),
    ("corrupt", [], True),
]


@pytest.mark.parametrize(("fault", "plates", "refused"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_faults(tmp_path: Path, fault: str, plates: list[str], refused: bool) -> None:
    async with attached(tmp_path) as here:
        await here.heard.until(lambda: here.bus.online("dah"))
        await here.fault(fault)
        await here.drive_up()
        if refused:
            await here.heard.until(lambda: here.heard.of(InputRefused))
            assert here.heard.of(InputRefused)[0].wire == "dah"
        # The next car tells that everything about this one has come.
        await here.stage.api.delete("/sim/faults")
        await here.drive_up("苏E54321")
        await here.heard.until(lambda: any(read.plate == "苏E54321" for read in here.heard.of(PlateRead)))
        reads = [read for read in here.heard.of(PlateRead) if read.plate != "苏E54321"]
        assert [read.plate for read in reads] == plates
        assert len({read.plate_id for read in reads}) == min(1, len(plates))
        if fault == "local-epoch":
            assert reads[0].local
        assert not here.heard.of(DeviceLost)
