"""The other OSDP stack (osdp 1.6, of other authors) drives our simulated reader: in the clear, and by a key it sets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.site import Site
from drivers.osdp.codec import Frames
from drivers.profiles.files import load
from simulators.osdp.wires import OsdpReaders
from simulators.ports import Pty
from simulators.site import SimSite
from tests.peers import peer

SCRIPT = Path(__file__).parents[1] / "peers_scripts" / "osdp_panel.py"
MASTER = bytes(range(0x30, 0x40)).hex()
SITE = {
    "site": "yard",
    "name": {"zh": "院", "en": "Yard"},
    "gateway": "yard-gw",
    "buses": {"wire": {"kind": "osdp-serial", "port": "/dev/null"}},
    "devices": {"in": {"profile": "osdp_keypad_reader", "bus": "wire", "unit": 0}},
}


class Panel:
    """The peer's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.heard: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def ask(self, word: str) -> dict[str, Any]:
        """What it answers to one of its words."""
        assert self._process.stdin is not None
        self._process.stdin.write(word.encode() + b"\n")
        await self.until(lambda: any("answer" in line for line in self.heard))
        answer = next(line for line in self.heard if "answer" in line)
        self.heard.remove(answer)
        found: dict[str, Any] = answer["answer"]
        return found

    async def until(self, true: Callable[[], object]) -> None:
        """Waits until `true`, looking again after each line."""
        async with asyncio.timeout(60):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def end(self) -> None:
        """Ends it."""
        self._reading.cancel()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.heard.append(json.loads(line))
            self._news.set()


@asynccontextmanager
async def driven(folder: Path, master: str) -> AsyncIterator[tuple[Panel, OsdpReaders, SimSite]]:
    """Our reader on a pty, and the peer at the other end."""
    python = await asyncio.to_thread(peer, "osdp")
    sim = SimSite(Site.model_validate(SITE), {"osdp_keypad_reader": load("osdp_keypad_reader")})
    readers = OsdpReaders(["in"], sim, folder)
    frames = Frames()
    line = Pty(folder / "tty", lambda data: readers.hear(frames, data, line.write))
    line.open()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        python, SCRIPT, line.link, master, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    panel = Panel(process)
    try:
        yield panel, readers, sim
    finally:
        await panel.end()
        line.close()


async def secured(panel: Panel) -> None:
    """Waits until it has set a key and come back with it."""
    async with asyncio.timeout(60):
        while await panel.ask("set") != {"secure": True, "default": False}:  # noqa: ASYNC110 - it can only be asked
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("master", ["plain", MASTER], ids=["plain", "secure"])
async def test_the_other_stack_drives_our_reader(tmp_path: Path, master: str) -> None:
    async with driven(tmp_path, master) as (panel, readers, sim):
        reader = readers.reader("in")
        if master != "plain":
            await secured(panel)
            assert reader.pd is not None
            assert reader.pd.secure
            key = (tmp_path / "osdp" / "in.key").read_text()
            assert len(bytes.fromhex(key)) == 16
        assert reader.present("0DC3AB")
        await panel.until(lambda: {"card": "86e1d580", "bits": 26} in panel.heard)
        assert reader.type("1234#")
        await panel.until(lambda: {"keys": "313233340d"} in panel.heard)

        assert await panel.ask("local") == {"tampered": False}
        sim.put_fault("in", "tamper", None)
        assert await panel.ask("local") == {"tampered": True}
        sim.device("in").held["input_1"] = True
        assert (await panel.ask("inputs"))["states"][0]

        assert await panel.ask("lamp") == {"done": True}
        sim.at(time.monotonic())
        readers.attend()
        assert await panel.ask("output 1") == {"done": True}
        assert sim.device("in").output_on("output_1")
        assert (await panel.ask("outputs"))["states"][0]
        assert await panel.ask("output 0") == {"done": True}
        assert not sim.device("in").output_on("output_1")
        # It announces its channel with the first question, when there is none yet: that one is refused.
        assert [line["nak"] for line in panel.heard if "nak" in line] == ([] if master == "plain" else [6])


async def test_a_key_that_the_other_stack_set_outlives_our_readers_power(tmp_path: Path) -> None:
    async with driven(tmp_path, MASTER) as (panel, _readers, _sim):
        await secured(panel)
    key = (tmp_path / "osdp" / "in.key").read_text()
    async with driven(tmp_path, MASTER) as (panel, readers, _sim):
        await secured(panel)
        readers.reader("in").present("0DC3AB")
        await panel.until(lambda: any("card" in line for line in panel.heard))
    assert (tmp_path / "osdp" / "in.key").read_text() == key
