"""`check`: mistakes of a site file, ports that this machine does not have, and with `--live` who answers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.gateway.installer.tool import Plant, as_json, tool


def test_a_good_site_whose_ports_are_elsewhere() -> None:
    done = tool("check", "config/sites/demo.yaml")
    assert done.returncode == 0
    assert "no mistakes" in done.stdout
    assert "there is no port /dev/ttyS" in done.stderr


def test_every_mistake_at_once(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: x\nname: {zh: 甲, en: X}\ngateway: x-gw\n"
        "buses: {net: {kind: modbus-tcp, host: h}}\n"
        "devices:\n  a: {profile: grundfos_cim20, bus: net}\n  b: {profile: eastron_sdm630, bus: nett}\n"
    )
    done = tool("check", str(site))
    assert done.returncode == 1
    assert "did you mean grundfos_cim200" in done.stderr and "did you mean net" in done.stderr
    assert "2 处错误" in tool("check", str(site), lang="zh").stderr


def test_live_tells_who_answers(plant: Plant) -> None:
    done = tool("check", *plant.files, "--live", "--json")
    results = {each["device"]: each for each in as_json(done)["results"]}
    assert done.returncode == 0, done.stdout
    assert all(each["ok"] for each in results.values())
    assert results["pump-1"]["words"] == "answers; 25 of 25 points have a value"


def test_live_tells_who_does_not(plant: Plant, tmp_path: Path) -> None:
    wires = json.loads(plant.wires.read_text())
    wires["meters-net"]["port"] = 1
    wires["water-line"]["port"] = str(tmp_path / "ttyUSB9")
    moved = tmp_path / "wires.json"
    moved.write_text(json.dumps(wires))
    done = tool("check", "--site", str(plant.site), "--wires", str(moved), "--live")
    assert done.returncode == 1
    rows = {line.split()[1]: line for line in done.stdout.splitlines() if "✓" in line or "✗" in line}
    assert "✓" in rows["pump-1"]
    assert "✗" in rows["meter-2"] and "cannot be reached" in rows["meter-2"]
    assert "✗" in rows["water-1"] and "there is no port" in rows["water-1"]
    assert "not well: 3" in done.stdout
