"""Independent masters read a simulated product that has every type: mbpoll, libmodbus, minimalmodbus."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config import load_site
from simulators.ends import Setting
from simulators.site import SimSite
from simulators.wires import WIRES
from tests.drivers.assorted import BITS, WORDS, Held, assorted, expected, profile_text
from tests.peers import peer
from tests.tools import tool

SOURCE = Path(__file__).with_name("modbus_master.c")
MINIMAL = Path(__file__).parents[1] / "peers_scripts" / "minimalmodbus_master.py"
UNITS = (3, 7)
BAUD = 115200
SITE = """
site: bench
name: {{zh: 台, en: Bench}}
gateway: bench-gw
profiles: [products]
buses:
  net: {{kind: modbus-tcp, host: 127.0.0.1}}
  line: {{kind: modbus-rtu, port: /dev/ttyS9, baud: {baud}}}
devices:
  n3: {{profile: assorted, bus: net, unit: 3}}
  n7: {{profile: assorted, bus: net, unit: 7}}
  l3: {{profile: assorted, bus: line, unit: 3}}
  l7: {{profile: assorted, bus: line, unit: 7}}
"""


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[dict[str, list[str]]]:
    """The product twice on each wire: the arguments by which modbus_master.c finds `tcp` and `rtu`.

    Unit 7 has the values of `assorted`, unit 3 has them not.
    """
    (folder / "products").mkdir()
    (folder / "products" / "assorted.yaml").write_text(profile_text())
    (folder / "site.yaml").write_text(SITE.format(baud=BAUD))
    loaded = load_site(folder / "site.yaml")
    site = SimSite(loaded.site, loaded.profiles)
    site.at(time.monotonic())
    for device in ("n7", "l7"):
        for name, value in expected().items():
            site.set_point(device, name, value)
    wires = {
        id: WIRES[bus.kind](Setting(id, bus, [f"{id[0]}{unit}" for unit in UNITS], site, {}, folder, "", paced=False))
        for id, bus in site.site.buses.items()
    }
    opened: dict[str, dict[str, Any]] = {id: await wire.open({}) for id, wire in wires.items()}
    try:
        yield {"tcp": [opened["net"]["host"], str(opened["net"]["port"])], "rtu": [opened["line"]["port"], str(BAUD)]}
    finally:
        for wire in wires.values():
            await wire.close()


async def said(*command: object) -> tuple[int | None, str]:
    """A foreign program's exit status and what it printed, while the simulators answer it."""
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.fixture(scope="module")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("master") / "modbus_master"
    flags = ("-O2", "-Wall", "-Werror", "-I/usr/include/modbus")
    subprocess.run([tool("gcc"), *flags, "-o", program, SOURCE, "-lmodbus"], check=True, capture_output=True)
    return program


@pytest.mark.parametrize("way", ["tcp", "rtu"])
async def test_libmodbus_reads_every_register_and_bit(tmp_path: Path, libmodbus: Path, way: str) -> None:
    async with simulated(tmp_path) as at:

        async def read(unit: int, fc: int, count: int) -> list[list[str]]:
            status, text = await said(libmodbus, way, *at[way], unit, fc, 0, count)
            assert status == 0, text
            return [line.split() for line in text.splitlines()]

        for fc in (3, 4):
            rows = await read(7, fc, len(WORDS))
            assert [int(row[0]) for row in rows] == WORDS
            for held in assorted():
                if held.type == "f32":
                    as_float = dict(zip(("ABCD", "BADC", "CDAB", "DCBA"), rows[held.address][1:], strict=True))
                    assert float(as_float[held.order]) == held.value
        for fc in (1, 2):
            assert [row[0] == "1" for row in await read(7, fc, len(BITS))] == BITS
        assert [int(row[0]) for row in await read(3, 3, len(WORDS))] != WORDS, "each unit has values of its own"


@pytest.mark.parametrize("way", ["tcp", "rtu"])
async def test_mbpoll_reads_every_register_and_its_own_types(tmp_path: Path, way: str) -> None:
    async with simulated(tmp_path) as at:
        where = ["-m", "tcp", "-p", at["tcp"][1]] if way == "tcp" else ["-m", "rtu", "-b", str(BAUD), "-P", "none"]

        async def mbpoll(kind: str, first: int, count: int, *more: str) -> list[str]:
            asks = ("-0", "-1", "-o", "10", "-a", "7", "-t", kind, "-r", str(first), "-c", str(count), *more)
            _, text = await said(tool("mbpoll"), *where, *asks, at[way][0])
            return re.findall(r"^\[\d+\]:\s+(\S+)", text, re.MULTILINE)

        for kind in ("3", "4"):
            assert [int(word) & 0xFFFF for word in await mbpoll(kind, 0, len(WORDS))] == WORDS
        for kind in ("0", "1"):
            assert [bit == "1" for bit in await mbpoll(kind, 0, len(BITS))] == BITS
        for held in assorted():
            # mbpoll knows 32-bit values with the high word first (-B) or last.
            if held.type in {"i32", "f32"} and held.order in {"ABCD", "CDAB"}:
                kind = "4:int" if held.type == "i32" else "4:float"
                (value,) = await mbpoll(kind, held.address, 1, *(("-B",) if held.order == "ABCD" else ()))
                assert float(value) == held.value


async def test_minimalmodbus_reads_every_type_in_every_order(tmp_path: Path) -> None:
    python = await asyncio.to_thread(peer, "modbus-tk")
    # It has no order for single registers.
    known = [held for held in assorted() if held.order == "ABCD" or len(held.words) > 1]
    asks = [(held.type, held.order, fc, held.address) for fc in (3, 4) for held in known]
    bits = [("bit", "", fc, at) for fc in (1, 2) for at in range(len(BITS))]
    async with simulated(tmp_path) as at:
        status, text = await said(python, MINIMAL, *at["rtu"], 7, json.dumps([*asks, *bits]))
    assert status == 0
    values = json.loads(text)
    assert values == [*_values(known), *_values(known), *BITS, *BITS]


def _values(known: list[Held]) -> list[float]:
    return [held.value for held in known]


async def test_a_unit_that_is_not_there_is_silent_on_both_wires(tmp_path: Path) -> None:
    async with simulated(tmp_path) as at:
        for where in (["-m", "tcp", "-p", at["tcp"][1]], ["-m", "rtu", "-b", str(BAUD), "-P", "none"]):
            end = at["tcp" if "tcp" in where else "rtu"][0]
            _, text = await said(tool("mbpoll"), *where, "-0", "-1", "-o", "0.3", "-a", "9", "-t", "4", "-r", "0", end)
            assert not re.search(r"^\[\d+\]:", text, re.MULTILINE)
