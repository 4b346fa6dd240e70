"""A protocol that nobody speaks, as `docs/house.md` says how one is added: its folder, its simulator's, two lines.

It asks `?word` over TCP and is answered `word=21.5`.
"""

from __future__ import annotations

from collections.abc import Mapping

LINES: Mapping[str, str] = {
    "drivers/protocols.py": '    "echo": Protocol("drivers.echo"),\n',
    "simulators/protocols.py": '    "echo": Protocol("simulators.echo"),\n',
}

FILES: Mapping[str, str] = {
    "drivers/echo/__init__.py": '"""Echo: what is asked comes back with its value."""\n',
    "drivers/echo/codec.py": '''
"""Echo's lines. Pure."""

from __future__ import annotations

from drivers.errors import FrameError


def question(word: str) -> bytes:
    """Asks for a value."""
    return f"?{word}\\n".encode()


def answer(word: str, value: float) -> bytes:
    """Tells a value."""
    return f"{word}={value}\\n".encode()


def value_in(line: bytes, word: str) -> float:
    """The value of `word` that an answer tells. Raises `FrameError`."""
    said, _, value = line.decode().strip().partition("=")
    if said != word:
        raise FrameError(f"an answer about {said}", line)
    return float(value)
''',
    "drivers/echo/wires.py": '''
"""Echo as a site file names it. Pure."""

from __future__ import annotations

from typing import Literal

from drivers.wiring import TcpBus, Wires, alone


class EchoBus(TcpBus):
    """An echo on the network."""

    opening = "drivers.echo.opening"

    kind: Literal["echo-tcp"]
    """What the wire carries."""


WIRES = Wires(buses=(EchoBus,), address=alone)
''',
    "drivers/echo/product.py": '''
"""Where the values of an echo are. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.profiles.profile import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoSource(Source):
    """A value by the word that is asked for."""

    word: str
''',
    "drivers/echo/form.py": '''
"""Files of products that echo. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from drivers.echo.product import EchoSource
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, profile_of, text
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Closed, Head, Word, Words


class EchoPoint(Closed):
    """A number, by the word that is asked for."""

    name: Words
    asked: Word


class EchoFile(Head):
    """A product that echoes."""

    protocol: Literal["echo"]
    points: dict[Word, EchoPoint]


def faults(file: EchoFile) -> Iterator[Fault]:
    """A product without points."""
    if not file.points:
        yield Fault(("points",), "an echo without points says nothing")


def build(file: EchoFile) -> Profile:
    """The profile of a file without faults."""
    points = {
        word: Point(id=word, name=text(part.name), type="number", source=EchoSource(word=part.asked))
        for word, part in file.points.items()
    }
    return profile_of(file, "echo", points=points)


FORM = Form(EchoFile, faults, build)
''',
    "drivers/echo/opening.py": '''
"""Owns a wire to an echo."""

from __future__ import annotations

import asyncio

from contract.readings import Reading, Value
from drivers.bus import Bus, BusHealth, CommandFailed, Outcome
from drivers.echo import codec
from drivers.echo.product import EchoSource
from drivers.echo.wires import EchoBus
from drivers.installed import Devices, Gateway, Opening
from drivers.reports import DeviceFound, PointsRead


class EchoOwner:
    """One echo (see `drivers.bus.Bus`)."""

    def __init__(self, id: str, bus: EchoBus, devices: Devices, gateway: Gateway) -> None:
        self.id = id
        self.health = BusHealth()
        self._bus = bus
        [(self._device, (_, profile))] = devices.items()
        self._points = {name: point.source for name, point in profile.points.items()}
        self._gateway = gateway

    async def run(self) -> None:
        """Asks for every point, again and again."""
        reader, writer = await asyncio.open_connection(self._bus.host, self._bus.port)
        self.health.connected = True
        self._gateway.sink(DeviceFound(self._device))
        try:
            while True:
                for point, source in self._points.items():
                    assert isinstance(source, EchoSource)
                    writer.write(codec.question(source.word))
                    value = codec.value_in(await reader.readline(), source.word)
                    reading = Reading(
                        point=f"{self._device}.{point}", value=value, quality="good", at=self._gateway.clock()
                    )
                    self._gateway.sink(PointsRead(self._device, (reading,)))
                await asyncio.sleep(1)
        finally:
            writer.close()

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """An echo takes nothing."""
        raise CommandFailed(f"{device} takes nothing")

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """An echo has no outputs."""
        raise CommandFailed(f"{device} has no outputs")

    def online(self, device: str) -> bool:
        """Whether it is connected."""
        return self.health.connected

    def show(self, reader: str, outcome: Outcome) -> None:
        """An echo shows nothing."""


def open_wire(id: str, bus: EchoBus, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of the wire."""
    return EchoOwner(id, bus, devices, gateway)


OPENING = Opening((EchoBus,), open_wire)
''',
    "drivers/echo/search.py": '''
"""Searching for an echo: it answers whatever it is asked. Pure."""

from __future__ import annotations

from contract.texts import Text
from drivers.echo import codec
from drivers.searching import Ask, Hit, Search


def _hits(data: bytes) -> list[Hit]:
    return [Hit("echo", "1", Text("回声", "echo"), data)] if data.startswith(b"who=") else []


SEARCH = Search(
    title=Text("回声", "echo"),
    asks=lambda units: [Ask("echo", "1", codec.question("who"), _hits)],
    usual=lambda setting: setting.baud == 9600,
    serial="",
    tcp="echo-tcp",
)
''',
    "simulators/echo/__init__.py": '"""A simulated echo."""\n',
    "simulators/echo/wires.py": '''
"""The other end of an echo's wire."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from drivers.echo import codec
from drivers.echo.product import EchoSource
from simulators.ends import Ends, Setting
from simulators.ports import LOOPBACK, TcpEnd


class EchoWire:
    """One echo on the network."""

    def __init__(self, of: Setting) -> None:
        self.id = of.id
        self._device = of.site.devices[of.on_bus[0]]
        self._end = TcpEnd(self._serve)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Listens; the wires entry."""
        await self._end.open(before.get("port"))
        return {"host": LOOPBACK, "port": self._end.port}

    async def attend(self) -> None:
        """An echo is never ill."""

    async def close(self) -> None:
        """Hangs up."""
        await self._end.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            word = line.decode().strip().removeprefix("?")
            for name, point in self._device.profile.points.items():
                value = self._device.value(name)
                if isinstance(point.source, EchoSource) and point.source.word == word and isinstance(value, float):
                    writer.write(codec.answer(word, value))


WIRES = Ends({"echo-tcp": EchoWire})
''',
}

PRODUCT = """
id: echo_thing
protocol: echo
kind: sensor
name: {zh: 回声, en: Echo}
confidence: own
sources: [nobody]
points:
  heard: {name: {zh: 听到的, en: What it heard}, asked: w1}
"""

SITE = """
site: echoes
name: {zh: 回声, en: Echoes}
gateway: gw-echo
profiles: [products]
buses: {net: {kind: echo-tcp, host: 127.0.0.1, port: 1}}
devices: {thing: {profile: echo_thing, bus: net}}
"""

USE = """
import asyncio
from pathlib import Path

from config import load_site
from drivers.searching import searches
from gateway.installer.wire.driving import driven
from gateway.installer.wire.sites import on_bus
from simulators.site import SimSite
from simulators.wires import wires_of


async def main() -> None:
    loaded = load_site(Path("site.yaml"))
    simulated = SimSite(loaded.site, loaded.profiles)
    simulated.set_point("thing", "heard", 21.5)
    wire = wires_of(simulated, {}, Path(), "", paced=False)["net"]
    loaded = load_site(Path("site.yaml"), {"net": await wire.open({})})
    async with driven("net", loaded.site.buses["net"], on_bus(loaded, "net"), Path()) as bus:
        await bus.until_read({"thing.heard"}, 30)
        print("echo" in searches(), simulated.supported(), bus.readings["thing.heard"].value)
    await wire.close()


asyncio.run(main())
"""
"""Checks the site, opens the simulator, drives the wire as the gateway does, and reads the point."""
