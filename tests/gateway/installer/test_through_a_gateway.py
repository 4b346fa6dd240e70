"""What is said on wires that a running gateway owns, seen through it: real ptys and sockets, a real gateway."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import msgspec
import pytest

from contract.desired import Account, Role
from contract.instants import instant
from gateway.clock import Clock, machine_wall_ms
from gateway.desired.held import Held
from simulators.demo.programs import free_port
from tests.gateway.installer.tool import ROOT, Plant, tool
from tests.gateway.process import PASSWORD
from web.session.passwords import Passwords

WHO: tuple[Role, ...] = ("installer", "maintenance", "guard")


async def hold(data: Path) -> None:
    """What a hub sent down before: somebody of each of these roles, by its word."""
    data.mkdir(parents=True)
    hash = await Passwords().hash(PASSWORD)
    far = instant(machine_wall_ms() + 86_400_000)
    accounts = [
        Account(id=f"a-{role}", username=role, name=role, role=role, password_hash=hash, expires_at=far) for role in WHO
    ]
    held = Held.open(data / "held.sqlite", clock=Clock())
    held.keep(1, [("account", each.id, msgspec.json.encode(each)) for each in accounts])
    await held.close()


@contextmanager
def owning(plant: Plant, folder: Path) -> Iterator[str]:
    """A gateway that owns the plant's wires; its address."""
    asyncio.run(hold(folder / "data"))
    site = folder / "site.yaml"
    # Meters are usually asked once in some minutes.
    site.write_text(re.sub(r"(bus: (?:water|mbus|object)-line, .*)}", r"\1, poll_s: 1}", plant.site.read_text()))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    files = ("--site", site, "--wires", plant.wires, "--data", folder / "data")
    with (folder / "gateway.log").open("wb") as log, subprocess.Popen(
        [sys.executable, "-m", "gateway", *files, "--port", str(port)], cwd=ROOT, stdout=log, stderr=log,
    ) as process:  # fmt: skip
        try:
            until = time.monotonic() + 60
            while not is_ready(url):
                assert process.poll() is None and time.monotonic() < until, (folder / "gateway.log").read_text()
                time.sleep(0.1)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def url(plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with owning(plant, tmp_path_factory.mktemp("owner")) as url:
        yield url


def watch(
    url: str, bus: str, *more: str, who: Role = "installer", lang: str = "en"
) -> subprocess.CompletedProcess[str]:
    with mock.patch.dict(os.environ, GATEHOUSE_PASSWORD=PASSWORD):
        return tool("watch", "--gateway", url, "--username", who, "--bus", bus, "--seconds", "20", *more, lang=lang)


def documents(url: str, bus: str, frames: int, **more: Any) -> list[dict[str, Any]]:
    done = watch(url, bus, "--frames", str(frames), "--json", **more)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("bus", "device", "point"),
    [
        ("plant-line", "pump-1", "flow"),
        ("meters-net", "meter-2", "energy_import"),
        ("far-line", "meter-4", "energy_import"),
    ],
)
def test_a_modbus_wire(url: str, bus: str, device: str, point: str) -> None:
    *frames, summary = documents(url, bus, 48)
    asked = [frame for frame in frames if frame["way"] == "ask"]
    told = {name for frame in frames for name in frame.get("values", {}) if frame["device"] == device}
    assert asked and all(frame["words"].split(" ", 1)[1].startswith("read") for frame in asked if "device" in frame)
    assert point in told
    assert summary["noise"] == 0 and summary["frames"] == len(frames)


@pytest.mark.parametrize(
    ("bus", "unit"),
    [
        ("meter-line", "398192000337"),
        ("water-line", "33001122334411"),
        ("mbus-line", "8"),
        ("object-line", "000000314159"),
    ],
)
def test_a_line_of_meters(url: str, bus: str, unit: str) -> None:
    *frames, summary = documents(url, bus, 4)
    assert {frame["unit"] for frame in frames} == {unit}
    assert [frame["way"] for frame in frames].count("answer") >= 1
    assert any(frame.get("values") for frame in frames)
    assert summary["noise"] == 0


def test_a_line_of_readers(url: str) -> None:
    *frames, _ = documents(url, "door-line", 20)
    assert {frame["name"] for frame in frames} >= {"POLL", "ACK"}
    assert {frame["unit"] for frame in frames} == {"2"}


def test_people_read_it(url: str) -> None:
    zh = watch(url, "plant-line", "--frames", "30", who="maintenance", lang="zh")
    assert zh.returncode == 0, zh.stderr
    assert "→ pump-1 读 " in zh.stdout and "← pump-1 " in zh.stdout and "每秒" in zh.stdout


def test_whoever_may_not_sees_what_is_counted(url: str) -> None:
    done = watch(url, "plant-line", "--frames", "1", who="guard")
    assert done.returncode == 0 and "may not see what is said" in done.stderr
    assert "plant-line" in done.stdout and "meter-line" not in done.stdout
