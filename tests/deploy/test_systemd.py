"""systemd's own verdict on the units."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import tool

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"


@pytest.mark.parametrize("name", ["gatehouse-gateway.service", "gatehouse-hub.service"])
def test_systemd_accepts_the_unit(name: str, tmp_path: Path) -> None:
    unit = (UNITS / name).read_text()
    # systemd looks whether the programs and files are there: here they are this test's own.
    unit = unit.replace("/opt/gatehouse/bin/python", sys.executable)
    unit = re.sub(r"^(User|Group|Documentation)=.*\n", "", unit, flags=re.MULTILINE)
    (tmp_path / name).write_text(unit)
    verdict = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in verdict.stderr.splitlines() if name in line]
    assert verdict.returncode == 0, verdict.stderr
    assert complaints == []


@pytest.mark.parametrize("name", ["gatehouse-gateway.service", "gatehouse-hub.service"])
def test_the_unit_is_watched_and_hardened(name: str) -> None:
    words = dict(
        line.split("=", 1) for line in (UNITS / name).read_text().splitlines() if "=" in line and line[0] != "#"
    )
    assert words["Type"] == "notify"
    assert int(words["WatchdogSec"]) <= 60
    assert words["Restart"] == "always"
    assert words["ProtectSystem"] == "strict"
    assert words["NoNewPrivileges"] == "yes"
    assert words["User"] != "root"
    # systemd's default is fewer than an attacker's half-open connections.
    assert int(words["LimitNOFILE"]) >= 16_384


def test_a_long_migration_is_not_cut_off() -> None:
    assert "TimeoutStartSec=infinity" in (UNITS / "gatehouse-hub.service").read_text().splitlines()
