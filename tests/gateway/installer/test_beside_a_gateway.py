"""The tools beside a gateway that runs: its lines are its own, and its wires are seen through it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from gateway.installer.wire.ports import holders
from tests.gateway.installer.tool import ROOT, Plant, as_json, tool
from tests.gateway.process import PASSWORD, hut


async def test_its_wires_are_seen_through_it(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        await gateway.start()
        asked = ["--gateway", gateway.url, "--username", "guard"]
        with mock.patch.dict(os.environ, GATEHOUSE_PASSWORD=PASSWORD):
            shown = await asyncio.to_thread(tool, "watch", *asked, "--frames", "2")
            document = as_json(await asyncio.to_thread(tool, "watch", *asked, "--frames", "1", "--json"))
        assert shown.returncode == 0, shown.stderr
        assert "modbus-tcp" in shown.stdout and "per s" in shown.stdout
        assert {wire["id"]: wire["connected"] for wire in document["wires"]} == {"net": True, "line": True}
        with mock.patch.dict(os.environ, GATEHOUSE_PASSWORD=PASSWORD):
            one = as_json(await asyncio.to_thread(tool, "watch", *asked, "--bus", "line", "--frames", "1", "--json"))
            none = await asyncio.to_thread(tool, "watch", *asked, "--bus", "lime", "--frames", "1")
        assert [wire["id"] for wire in one["wires"]] == ["line"]
        assert none.returncode == 1 and "it has: net, line" in none.stderr
        with mock.patch.dict(os.environ, GATEHOUSE_PASSWORD="wrong"):
            refused = await asyncio.to_thread(tool, "watch", *asked)
        assert refused.returncode == 1 and "does not take this account" in refused.stderr
    gone = await asyncio.to_thread(tool, "watch", *asked)
    assert gone.returncode == 2 and "GATEHOUSE_PASSWORD" in gone.stderr


def test_its_lines_are_its_own(plant: Plant, tmp_path: Path) -> None:
    port = plant.port("plant-line")
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", *plant.files, "--data", str(tmp_path / "data"), "--port", "0"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as gateway:  # fmt: skip
        try:
            until = time.monotonic() + 60
            while not any(holder.pid == gateway.pid for holder in holders(port)):
                assert gateway.poll() is None and time.monotonic() < until
                time.sleep(0.05)
            done = tool("scan", "--port", port, "--unit", "1")
            zh = tool("read", *plant.files, "pump-1", lang="zh")
        finally:
            gateway.send_signal(signal.SIGTERM)
            gateway.wait(timeout=30)
    assert done.returncode == 2
    assert f"in use by the gateway (process {gateway.pid})" in done.stderr and "watch --gateway" in done.stderr
    assert zh.returncode == 2 and "正由网关使用" in zh.stderr
