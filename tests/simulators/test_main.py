"""`python -m simulators` as a process: starts, writes its wires, is acted on from the command line, ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.demo.programs import free_port
from tests.simulators.stage import DEMO, ROOT


def simulators(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulators", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    folder = tmp_path_factory.mktemp("sim")
    port = free_port()
    command = [sys.executable, "-m", "simulators", "run", "--site", str(DEMO), "--wires", str(folder / "wires.json")]
    command += ["--data", str(folder / "data"), "--port", str(port), "--gateway-url", "http://127.0.0.1:9"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"RHYTHM": "0"})
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        if simulators("act", "devices", "--url", url).returncode == 0:
            break
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.1)
    yield process, url, folder
    if process.poll() is None:
        process.kill()
        process.wait()


Running = tuple[subprocess.Popen[bytes], str, Path]


def test_acts_from_the_command_line(running: Running) -> None:
    _, url, folder = running
    wires = json.loads((folder / "wires.json").read_text())
    assert set(wires) == {*_buses()} - {"garage-mqtt"}
    said = simulators("act", "drive-up", "gate-in", "沪A12345", "--url", url)
    assert json.loads(said.stdout)["stored"] is True
    said = simulators("act", "present", "garage-in", "04A1B2C3D4E5F6", "--url", url)
    assert json.loads(said.stdout)["sent"] is True
    assert simulators("act", "set", "pump-1", "flow", "12.5", "--url", url).returncode == 0
    assert simulators("act", "input", "relay-doors", "input_1", "open", "--url", url).returncode == 0
    assert simulators("act", "fault", "pump-1", "trip", "--for", "60", "--url", url).returncode == 0
    seen = json.loads(simulators("act", "devices", "--url", url).stdout)
    assert seen["doors"]["lobby-a"]["contact"] == "open"
    assert next(one for one in seen["devices"] if one["id"] == "pump-1")["points"]["flow"] == 12.5
    faults = json.loads(simulators("act", "faults", "--url", url).stdout)
    assert [one["fault"] for one in faults["active"]] == ["trip"]
    assert json.loads(simulators("act", "clear", "--url", url).stdout) == {"cleared": 1}
    assert json.loads(simulators("act", "rhythm", "off", "--url", url).stdout) == {"on": False}


def test_a_wrong_act_says_why_in_one_line(running: Running) -> None:
    _, url, _ = running
    wrong = simulators("act", "present", "nobody", "04A1B2C3D4E5F6", "--url", url)
    assert wrong.returncode == 1
    assert "lobby-a-in" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    nobody = simulators("act", "devices", "--url", "http://127.0.0.1:9", "--lang", "en")
    assert nobody.returncode == 2
    assert "nobody answers" in nobody.stderr


def test_it_ends_cleanly_and_takes_its_lines_away(running: Running) -> None:
    process, _, folder = running
    line = Path(json.loads((folder / "wires.json").read_text())["plant-line"]["port"])
    assert line.exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert not line.is_symlink()
    assert json.loads((folder / "data" / "world.json").read_text())["parts"]["meter-main"]["total"] > 0
    assert "Traceback" not in (folder / "log").read_text()


def test_a_bad_site_file_and_a_taken_port_are_told(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("site: x\n")
    common = ("--wires", str(tmp_path / "w.json"), "--gateway-url", "http://127.0.0.1:9", "--data", str(tmp_path))
    said = simulators("run", "--site", str(bad), *common)
    assert said.returncode == 1
    assert "buses" in said.stderr
    assert simulators("run", "--site", str(DEMO), *common, "--check").returncode == 0
    (tmp_path / "in.json").write_text("[]")
    said = simulators("run", "--site", str(DEMO), *common, "--wires-in", str(tmp_path / "in.json"))
    assert said.returncode == 1
    assert "wires file" in said.stderr


def _buses() -> list[str]:
    from config import load_site  # noqa: PLC0415

    return list(load_site(DEMO).site.buses)
