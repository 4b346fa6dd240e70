"""The tools as an installer starts them, and the simulated site that they are tried on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
WITHIN_S = 60.0

PLANT = """
site: plant
name: {zh: 泵房, en: Plant}
gateway: plant-gw
buses:
  plant-line: {kind: modbus-rtu, port: /dev/ttyS1, baud: 19200}
  meter-line: {kind: meter-serial, port: /dev/ttyS2, baud: 2400}
  water-line: {kind: meter-serial, port: /dev/ttyS3, baud: 2400}
  mbus-line: {kind: meter-serial, port: /dev/ttyS5, baud: 2400}
  object-line: {kind: meter-serial, port: /dev/ttyS6, baud: 9600}
  door-line: {kind: osdp-serial, port: /dev/ttyS4}
  meters-net: {kind: modbus-tcp, host: 192.168.10.25}
  far-line: {kind: modbus-rtu-tcp, host: 192.168.10.26, port: 4001}
devices:
  pump-1: {profile: grundfos_cim200, bus: plant-line, unit: 1}
  pump-2: {profile: grundfos_cim200, bus: plant-line, unit: 2}
  board-1: {profile: waveshare_relay8, bus: plant-line, unit: 20}
  meter-1: {profile: dlt645_2007_three_phase, bus: meter-line, address: "398192000337"}
  water-1: {profile: cjt188_water, bus: water-line, address: "33001122334411"}
  heat-1: {profile: mbus_heat, bus: mbus-line, unit: 8, meter_no: "02205100"}
  objects-1: {profile: dlt698_three_phase, bus: object-line, address: "314159"}
  reader-1: {profile: osdp_reader, bus: door-line, unit: 2, secure: false}
  meter-2: {profile: eastron_sdm630, bus: meters-net, unit: 1}
  meter-3: {profile: xintai_water_meter, bus: meters-net, unit: 3}
  meter-4: {profile: eastron_sdm630, bus: far-line, unit: 7}
doors:
  plant-door:
    name: {zh: 泵房门, en: Plant door}
    reader_in: reader-1
    lock: {device: board-1, output: relay_1}
"""


class Plant:
    """A running set of simulators. `site`, `wires`: its files; `wire`: where a bus is."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "plant.yaml"
        self.wires = folder / "wires.json"
        self.site.write_text(PLANT, encoding="utf-8")

    def wire(self, bus: str) -> dict[str, Any]:
        """Where a bus is."""
        entry: dict[str, Any] = json.loads(self.wires.read_text())[bus]
        return entry

    def port(self, bus: str) -> str:
        """The serial port (or TCP port) of a bus."""
        return str(self.wire(bus)["port"])

    @property
    def files(self) -> list[str]:
        """The options that name the site."""
        return ["--site", str(self.site), "--wires", str(self.wires)]


@contextlib.contextmanager
def running_plant(folder: Path) -> Iterator[Plant]:
    """The simulators as a process of their own, until the end of the block."""
    plant = Plant(folder)
    with (folder / "simulators.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "simulators", "run", "--site", str(plant.site), "--wires", str(plant.wires)),
                *("--gateway-url", "http://127.0.0.1:9", "--data", str(folder / "lines"), "--no-rhythm"),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + WITHIN_S
        while not plant.wires.exists():
            assert process.poll() is None, (folder / "simulators.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield plant
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()


def tool(*arguments: str, lang: str = "en", stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """`python -m gateway …` to its end, its output in pipes."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments, "--lang", lang],
        cwd=ROOT,
        capture_output=True,
        text=True,
        input=stdin,
        timeout=WITHIN_S * 2,
        check=False,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def as_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The last JSON document that a tool printed."""
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    document: dict[str, Any] = json.loads(lines[-1])
    return document
