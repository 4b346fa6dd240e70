"""`watch` on real wires: between a master and simulated devices it decodes everything and says nothing itself."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.installer.tap import Tap
from tests.gateway.installer.tool import ROOT, Plant, tool


class Watching:
    """A `watch` that runs: its lines, and its last words after Ctrl-C."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begun(self) -> str:
        """Returns when it listens; the line that says so."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def end(self) -> str:
        """Ctrl-C; everything that it printed."""
        self._process.send_signal(signal.SIGINT)
        out, errors = self._process.communicate(timeout=30)
        assert self._process.returncode == 0, errors
        assert "Traceback" not in errors
        return out

    def documents(self) -> list[dict[str, Any]]:
        """Ctrl-C; what it printed as JSON."""
        return [json.loads(line) for line in self.end().splitlines()]


@contextlib.contextmanager
def watching(*arguments: str) -> Iterator[Watching]:
    """`watch` as a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "watch", *arguments, "--lang", "en"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield Watching(process)
        finally:
            if process.poll() is None:
                process.kill()


@contextlib.contextmanager
def tapped(port: str) -> Iterator[Tap]:
    """A line with a listener."""
    tap = Tap(port)
    try:
        yield tap
    finally:
        tap.close()


def test_decodes_what_a_master_and_a_pump_say(plant: Plant) -> None:
    with tapped(plant.port("plant-line")) as tap, watching("--port", tap.port, "--baud", "19200", "--json") as listener:
        listener.begun()
        master = ["--port", tap.master_port, "--baud", "19200"]
        assert tool("read", *master, "--unit", "1", "--fc", "4", "--address", "331", "--count", "2").returncode == 0
        assert tool("read", *master, "--unit", "1", "--fc", "4", "--address", "9000").returncode == 1
        assert tool("read", *master, "--unit", "99", "--address", "0", "--timeout", "100").returncode == 1
        seen = listener.documents()
        assert tap.heard_from_listener == b"", "a listener never transmits"
    frames = [(each["way"], each["unit"], each["kind"]) for each in seen[:-1]]
    assert frames[:4] == [
        ("ask", "1", "request"), ("answer", "1", "answer"), ("ask", "1", "request"), ("answer", "1", "exception"),
    ]  # fmt: skip
    assert ("ask", "99", "request") in frames
    assert "no such address" in seen[3]["words"]
    assert all(each["latency_ms"] is not None for each in seen[:-1] if each["way"] == "answer")
    units = seen[-1]["units"]
    assert (units["1"]["asked"], units["1"]["answered"], units["1"]["refused"]) == (2, 2, 1)
    assert units["99"]["answered"] == 0


def test_tells_values_by_the_site_file(plant: Plant, tmp_path: Any) -> None:
    with tapped(plant.port("plant-line")) as tap:
        wires = json.loads(plant.wires.read_text())
        wires["plant-line"]["port"] = tap.port
        moved = tmp_path / "wires.json"
        moved.write_text(json.dumps(wires))
        site = ["--site", str(plant.site), "--wires", str(moved), "--bus", "plant-line"]
        with watching(*site) as listener:
            assert tap.port in listener.begun()
            tool("read", "--port", tap.master_port, "--baud", "19200", "--fc", "4", "--address", "331", "--count", "4")
            said = listener.end()
    assert "→ pump-1 read input registers 331–334" in said
    assert "← pump-1 energy" in said and "kWh" in said
    assert "unit" in said and "answered" in said


@pytest.mark.parametrize(
    ("bus", "device", "words"),
    [
        ("meter-line", "meter-1", "voltage_l1"),
        ("water-line", "water-1", "volume_forward"),
        ("object-line", "objects-1", "voltage_l1"),
        ("mbus-line", "heat-1", "heat_energy"),
    ],
)
def test_tells_what_meters_say(plant: Plant, tmp_path: Any, bus: str, device: str, words: str) -> None:
    with tapped(plant.port(bus)) as tap:
        wires = json.loads(plant.wires.read_text())
        wires[bus]["port"] = tap.port
        listening = tmp_path / "listening.json"
        listening.write_text(json.dumps(wires))
        wires[bus]["port"] = tap.master_port
        asking = tmp_path / "asking.json"
        asking.write_text(json.dumps(wires))
        site = ["--site", str(plant.site)]
        with watching(*site, "--wires", str(listening), "--bus", bus, "--json") as listener:
            listener.begun()
            assert tool("read", *site, "--wires", str(asking), device, words).returncode == 0
            seen = listener.documents()
    said = [each for each in seen[:-1] if words in each.get("values", {})]
    assert said and said[0]["way"] == "answer"
    assert seen[-1]["noise"] == 0


def test_a_listening_proxy_shows_modbus_tcp(plant: Plant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = free.getsockname()[1]
    through = f"127.0.0.1:{plant.port('meters-net')}"
    with watching("--through", through, "--listen", str(listen), "--frames", "4") as listener:
        assert str(listen) in listener.begun()
        master = ["--host", f"127.0.0.1:{listen}", "--fc", "4"]
        for _ in range(2):
            tool("read", *master, "--address", "0", "--count", "2", "--type", "f32", "--timeout", "3000")
        said = listener._process.communicate(timeout=30)[0]
    assert said.count("→ read input registers 0–3") == 2
    assert said.count("← 0: 436") == 2


def test_a_wrong_speed_is_told(plant: Plant) -> None:
    with tapped(plant.port("plant-line")) as tap, watching("--port", tap.port, "--protocol", "dlt645") as listener:
        listener.begun()
        tool("read", "--port", tap.master_port, "--baud", "19200", "--fc", "4", "--address", "331")
        said = listener.end()
    assert "not one whole frame" in said


def test_a_line_that_says_nothing(plant: Plant) -> None:
    done = tool("watch", "--port", plant.port("plant-line"), "--seconds", "0.3")
    assert done.returncode == 1
    assert "nothing was heard" in done.stdout


def test_what_is_missing_is_told() -> None:
    done = tool("watch")
    assert done.returncode == 2
    assert "--port" in done.stderr and "--gateway" in done.stderr
