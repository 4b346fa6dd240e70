"""The gateway as a real process: a card in, the coil's pulse out, and what the journal says after whatever happens."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx

from contract.facts.gateway import Empty
from gateway.clock import Clock, machine_wall_ms
from gateway.journal import Draft, Journal
from tests.certificates import signed
from tests.gateway.process import CARD, PASSWORD, PULSE_COIL, ROOT, WITHIN_S, hut

FIVE_SECONDS = 50
"""Of a hundred milliseconds each, as the board counts them."""


async def test_a_card_moves_the_lock_and_is_recorded_and_shown(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        await gateway.start()
        gateway.ends.reader.present(CARD)
        await gateway.ends.pulsed()
        assert gateway.ends.coils == [(PULSE_COIL, FIVE_SECONDS)]
        async with gateway.client() as client:
            [granted] = (await client.get("/api/events", params={"kind": "access.granted"})).json()["items"]
            assert granted["source"] == "front"
            assert granted["data"]["holder"] == "h-1"
            [door] = (await client.get("/api/doors")).json()["items"]
            assert (door["lock"], door["contact"]) == ("released", "closed")
            metrics = (await client.get("/metrics")).text
            assert 'gatehouse_gateway_decisions_total{outcome="granted",place="door"} 1.0' in metrics
        assert await gateway.end() == 0
        kinds = gateway.kinds()
        assert kinds[:2] == ["gateway.started", "site.described"]
        assert kinds[-1] == "gateway.stopped"


async def test_a_guard_opens_from_the_screen_once_also_after_a_restart(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        await gateway.start()
        command = {"site": "hut", "target": "front", "kind": "door.unlock", "reason": "忘带卡"}
        async with gateway.client() as client:
            asked = (await client.post("/api/commands", json=command)).json()
            await gateway.ends.pulsed()

            async def done() -> bool:
                found = (await client.get(f"/api/commands/{asked['id']}")).json()
                return bool(found["state"] == "done")

            await gateway.until(done)
        assert await gateway.end() == 0
        await gateway.start()
        async with gateway.client() as client:
            assert (await client.get(f"/api/commands/{asked['id']}")).json()["state"] == "done"
        assert await gateway.end() == 0
        assert len(gateway.ends.coils) == 1
        assert gateway.kinds().count("command.done") == 1


async def test_killed_in_the_middle_of_traffic_nothing_decided_is_lost(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        await gateway.start()
        for number in range(1, 21):
            gateway.ends.reader.present(CARD)
            await gateway.ends.pulsed(number)
        await gateway.end(signal.SIGKILL)
        assert gateway.kinds().count("access.granted") >= 20
        await gateway.start()
        assert len(gateway.ends.coils) == 20
        gateway.ends.reader.present(CARD)
        await gateway.ends.pulsed(21)
        assert await gateway.end() == 0
        assert gateway.kinds().count("access.granted") >= 21


async def test_a_clock_that_starts_before_the_journal_is_doubted_and_the_door_still_opens(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        clock = Clock(machine=lambda: machine_wall_ms() + 86_400_000)
        journal = Journal.open(gateway.data / "journal.sqlite", clock=clock)
        await journal.put([Draft(kind="gateway.stopped", source="hut-gw", data=Empty())])
        await journal.close()
        await gateway.start()
        gateway.ends.reader.present(CARD)
        await gateway.ends.pulsed()
        async with gateway.client() as client:
            alarms = (await client.get("/api/alarms", params={"state": "active"})).json()["items"]
            assert "clock.doubtful" in [alarm["rule"] for alarm in alarms]
        assert await gateway.end() == 0
        assert gateway.kinds().count("clock.doubted") == 1


async def test_doors_do_not_wait_for_a_port_that_somebody_else_has(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        with socket.create_server(("127.0.0.1", gateway.port)):
            starting = asyncio.create_task(gateway.start())
            async with asyncio.timeout(WITHIN_S):
                await gateway.ends.reader.dialled.wait()

            async def opened() -> bool:
                gateway.ends.reader.present(CARD)
                return bool(gateway.ends.coils)

            await gateway.until(opened)
        await starting
        assert await gateway.end() == 0


async def test_doors_do_not_wait_for_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        starting = asyncio.create_task(gateway.start("--certificate", str(tmp_path / "typo.pem")))
        async with asyncio.timeout(WITHIN_S):
            await gateway.ends.reader.dialled.wait()

        async def opened() -> bool:
            gateway.ends.reader.present(CARD)
            return bool(gateway.ends.coils) and "web server cannot run" in gateway.log()

        await gateway.until(opened)
        starting.cancel()
        assert await gateway.end() == 0


async def test_console_and_pushes_have_a_certificate_each(tmp_path: Path) -> None:
    people, cameras = signed(tmp_path, "people"), signed(tmp_path, "cameras")
    trust = ssl.create_default_context(cafile=people.ca)
    async with hut(tmp_path) as gateway:
        text = gateway.site.read_text(encoding="utf-8")
        text = text.replace("buses:", "buses:\n  cams: {kind: http-push}")
        text = text.replace("devices:", "devices:\n  cam: {profile: zhenshi_plate_camera, bus: cams}")
        gateway.site.write_text(text, encoding="utf-8")
        await gateway.launch(
            *("--certificate", str(people.certificate), "--key", str(people.key)),
            *("--push-certificate", str(cameras.certificate), "--push-key", str(cameras.key)),
        )
        await gateway.dialled()
        console, pushes = (url.replace("http:", "https:") for url in (gateway.url, gateway.push_url))
        async with httpx.AsyncClient(verify=trust) as client:

            async def serves() -> bool:
                try:
                    return (await client.get(f"{console}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await gateway.until(serves)
            answer = await client.post("/".join((pushes, "push", "cam")), json={})
            assert answer.status_code == 200
            assert (await client.post("/".join((console, "push", "cam")), json={})).status_code == 404
            signing = await client.post(f"{console}/api/session", json={"username": "guard", "password": PASSWORD})
            assert signing.headers["set-cookie"].startswith("__Host-gatehouse_site=")
        for port, name in ((gateway.port, "people"), (gateway.push_port, "cameras")):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
            assert (("commonName", name),) in writer.get_extra_info("peercert")["subject"]
            writer.close()
        assert await gateway.end() == 0


async def test_systemd_is_told_when_it_is_ready_alive_and_ending(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(WITHIN_S)
        async with hut(tmp_path) as gateway:
            gateway.env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
            await gateway.start()
            assert await asyncio.to_thread(listening.recv, 100) == b"READY=1"
            assert await asyncio.to_thread(listening.recv, 100) == b"WATCHDOG=1"
            assert await gateway.end() == 0
            said = set()
            while b"STOPPING=1" not in said:
                said.add(await asyncio.to_thread(listening.recv, 100))


async def test_a_second_process_on_the_same_journal_ends_with_a_word(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        await gateway.start()
        second = await asyncio.to_thread(run, "--site", str(gateway.site), "--data", str(gateway.data), "--port", "0")
        assert second.returncode == 1
        assert "journal" in second.stderr
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{gateway.url}/healthz")).status_code == 200


async def test_check_says_every_mistake_and_help_says_how(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        good = await asyncio.to_thread(run, "--site", str(gateway.site), "--check")
        assert good.returncode == 0, good.stderr
        certificate = str(tmp_path / "typo.pem")
        typo = await asyncio.to_thread(run, "--site", str(gateway.site), "--certificate", certificate, "--check")
        assert (typo.returncode, certificate in typo.stderr) == (1, True)
        text = gateway.site.read_text(encoding="utf-8")
        broken = tmp_path / "broken.yaml"
        broken.write_text(
            text.replace("reader_in: front-in", "reader_in: nobody").replace("relay_1", "relay_99"), encoding="utf-8"
        )
        bad = await asyncio.to_thread(run, "--site", str(broken), "--check")
        assert bad.returncode == 1
        assert "nobody" in bad.stderr
        assert "relay_99" in bad.stderr
        deaf = tmp_path / "deaf.yaml"
        cameras = "buses:\n  cams: {kind: http-push, allow: [192.168.10.0/24]}"
        deaf.write_text(text.replace("buses:", cameras), encoding="utf-8")
        told = await asyncio.to_thread(run, "--site", str(deaf), "--host", "127.0.0.1", "--check")
        assert told.returncode == 0, told.stderr
        assert "set --push-host" in told.stderr
        assert "请设置 --push-host" in told.stderr
        refused = await asyncio.to_thread(run, "--site", str(broken), "--data", str(tmp_path / "other"))
        assert refused.returncode == 1
        assert not (tmp_path / "other").exists()
        loud = await asyncio.to_thread(run, "--site", str(gateway.site), "--log-level", "loud")
        assert (loud.returncode, "loud" in loud.stderr) == (1, True)
        help = await asyncio.to_thread(run, "--help")
        assert help.returncode == 0
        assert "--wires" in help.stdout


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One short run of the command."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
