"""`scan` against simulated wires: who is there, which product it is, and what the machine itself says no to."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from drivers.searching import Setting
from gateway.installer.scan.sweeps import USUAL_S, sweep_s
from tests.gateway.installer.tool import ROOT, Plant, as_json, tool


@pytest.fixture
def silent_line(tmp_path: Path) -> Iterator[str]:
    """A serial line on which nobody answers."""
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_finds_the_pumps_and_says_what_they_are(plant: Plant) -> None:
    line = ["--port", plant.port("plant-line"), "--baud", "19200", "--parity", "N", "--unit", "1-3,20"]
    done = tool("scan", *line)
    assert done.returncode == 0, done.stderr
    assert "grundfos_cim200" in done.stdout and "likely" in done.stdout
    written = done.stdout[done.stdout.index("buses:") :]
    drafted = yaml.safe_load("\n".join(row.removeprefix("  ") for row in written.splitlines()))
    assert drafted["buses"]["line-1"] == {"kind": "modbus-rtu", "port": plant.port("plant-line"), "baud": 19200}
    products = {part["unit"]: part["profile"] for part in drafted["devices"].values()}
    assert products == {1: "grundfos_cim200", 2: "grundfos_cim200", 20: "waveshare_relay8"}

    found = as_json(tool("scan", *line, "--json"))["found"]
    assert [each["address"] for each in found] == ["1", "2", "20"]
    assert found[0]["fits"][0]["profile"] == "grundfos_cim200"
    assert found[0]["fits"][0]["why"][0]["zh"]


def test_the_usual_settings_are_tried_until_somebody_answers(plant: Plant) -> None:
    done = tool("scan", "--port", plant.port("plant-line"), "--unit", "1", "--protocol", "modbus", "--no-fit", "--json")
    # A pty has no speed: the first setting is answered already.
    assert [each["baud"] for each in as_json(done)["found"]] == [9600]


@pytest.mark.parametrize(
    ("bus", "protocol", "address", "profile"),
    [
        ("meter-line", "dlt645", "398192000337", "dlt645_2007_three_phase"),
        ("water-line", "cjt188", "33001122334411", "cjt188_water"),
        ("mbus-line", "mbus", "8", "mbus_heat"),
        ("object-line", "dlt698", "000000314159", "dlt698_three_phase"),
        ("door-line", "osdp", "2", "osdp_reader"),
    ],
)
def test_finds_meters_and_readers(plant: Plant, bus: str, protocol: str, address: str, profile: str) -> None:
    baud = "9600" if protocol == "osdp" else "2400"
    line = ["--port", plant.port(bus), "--baud", baud, "--parity", "N"]
    found = as_json(tool("scan", *line, "--protocol", protocol, "--json"))["found"]
    assert [(each["protocol"], each["address"], each["profile"]) for each in found] == [(protocol, address, profile)]


def test_searches_a_network(plant: Plant) -> None:
    ports = ",".join((plant.port("meters-net"), plant.port("far-line")))
    done = tool("scan", "--net", "127.0.0.1", "--tcp-ports", ports, "--protocol", "modbus", "--json")
    spots = {str(each["port"]): each for each in as_json(done)["found"]}
    direct, far = spots[plant.port("meters-net")], spots[plant.port("far-line")]
    assert direct["kind"] == "modbus-tcp"
    assert {each["address"]: each["profile"] for each in direct["devices"]} == {
        "1": "eastron_sdm630",
        "3": "xintai_water_meter",
    }
    assert far["kind"] == "modbus-rtu-tcp"
    assert [each["address"] for each in far["devices"]] == ["7"]


def test_a_silent_line_takes_what_its_wire_allows(silent_line: str) -> None:
    done = tool("scan", "--port", silent_line, "--baud", "9600", "--parity", "N", "--protocol", "modbus", "--json")
    assert done.returncode == 1
    took = as_json(done)["took_s"]
    assert took >= 247 * 8 * 10 / 9600, "faster than requests can be sent"
    assert sweep_s(Setting(9600), 247, USUAL_S) < 25
    said = tool("scan", "--port", silent_line, "--baud", "9600", "--parity", "N", "--unit", "5", "--protocol", "modbus")
    assert said.returncode == 1
    assert "nobody answered" in said.stdout
    assert "at most" in said.stderr


def test_ctrl_c_ends_it_and_gives_the_port_back(silent_line: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "scan", "--port", silent_line, "--lang", "en"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert "scanning" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in rest and "Traceback" not in rest
    with Path(silent_line).open("rb", buffering=0) as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_missing_port_names_those_there_are() -> None:
    done = tool("scan", "--port", "/dev/ttyUSB77")
    assert done.returncode == 2
    assert "there is no port /dev/ttyUSB77" in done.stderr
    assert "this machine has" in done.stderr
    assert "没有串口 /dev/ttyUSB77" in tool("scan", "--port", "/dev/ttyUSB77", lang="zh").stderr


def test_a_busy_port_names_its_owner(silent_line: str) -> None:
    holder = (
        "import fcntl, os, sys; line = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY);"
        "fcntl.flock(line, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, silent_line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "held\n"
        done = tool("scan", "--port", silent_line)
        other.stdin.close()
    assert done.returncode == 2
    assert "in use by another program" in done.stderr
    assert str(other.pid) in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name --port"),
        (["--port", "/dev/null", "--net", "10.0.0.0/24"], "one of them"),
        (["--port", "/dev/null"], "no serial"),
        (["--net", "10.0.0.0/8"], "at most 4096"),
        (["--net", "10.0.0.0.0"], "cannot read"),
        (["--port", "/dev/null", "--unit", "0-300"], "--unit"),
        (["--port", "/dev/null", "--parity", "X"], "--parity"),
        (["--port", "/dev/null", "--protocol", "modbus,klingon"], "klingon"),
    ],
)
def test_wrong_options_are_told_in_words(arguments: list[str], words: str) -> None:
    done = tool("scan", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
