"""Lines to other machines: what is opened how, and what is not sent at all."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path

import pytest

from config.site import Uplink
from contract.hosts import this_machine
from drivers.camera.stream.bus import AttachBus
from drivers.camera.stream.wires import CameraHttpBus
from drivers.mqtt.wires import MqttBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import DeviceFound, DeviceLost
from drivers.secrecy import SecretInClear, credentials_of
from tests.certificates import signed
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True),
        ("::ffff:127.0.0.1", True), ("192.168.10.2", False), ("localhost.example", False), ("0.0.0.0", False),
        ("127.0.0.1.example", False), ("", False),
    ],
)  # fmt: skip
def test_which_hosts_are_this_machine(host: str, here: bool) -> None:
    assert this_machine(host) is here


async def test_a_password_does_not_leave_in_clear_unless_the_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("secret\n")
    line = Uplink(host="hub.example", username="gw", password_file="p")
    with pytest.raises(SecretInClear, match=r"hub.example in clear: name `ca_file` or `tls: true`, or `in_clear"):
        await credentials_of(line, tmp_path)
    assert (await credentials_of(line.model_copy(update={"in_clear": True}), tmp_path)).password == "secret"
    private = await credentials_of(line.model_copy(update={"tls": True}), tmp_path)
    assert (private.password, private.tls is not None) == ("secret", True)
    assert (await credentials_of(Uplink(host="hub.example"), tmp_path)).password is None


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=re.escape("the password file none cannot be read: No such file")):
        await credentials_of(Uplink(username="gw", password_file="none"), tmp_path)
    with pytest.raises(OSError, match=re.escape("the authorities in ca.pem cannot be read")):
        await credentials_of(Uplink(ca_file="ca.pem"), tmp_path)


async def test_the_bus_says_why_it_does_not_connect(tmp_path: Path) -> None:
    config = MqttBus(kind="mqtt", host="192.0.2.1", username="gateway", password_file="p")
    heard = Heard()
    devices = {"co": (Installed(topic="garage/co-1"), load("mqtt_co_sensor"))}
    running = asyncio.create_task(open_bus("site", config, devices, sink=heard, clock=lambda: 0, folder=tmp_path).run())
    try:
        await heard.until(lambda: heard.of(DeviceLost))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "in clear: name `ca_file`" in heard.of(DeviceLost)[0].why


async def test_a_camera_is_fetched_over_tls_and_only_from_whom_its_authority_vouches_for(tmp_path: Path) -> None:
    mine = signed(tmp_path)
    (tmp_path / "other").mkdir()
    signed(tmp_path / "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine.certificate, mine.key)

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n")
        writer.write(b"--b\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nHeartbeat\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(attend, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    def opened(ca_file: str, heard: Heard) -> AttachBus:
        config = CameraHttpBus(kind="camera-http", host="127.0.0.1", port=port, ca_file=ca_file)
        devices = {"cam": (Installed(), load("dahua_traffic"))}
        bus = open_bus("wire", config, devices, sink=heard, clock=lambda: 0, folder=tmp_path)
        assert isinstance(bus, AttachBus)
        return bus

    good, bad = Heard(), Heard()
    tasks = [asyncio.create_task(opened("ca.pem", good).run()), asyncio.create_task(opened("other/ca.pem", bad).run())]
    try:
        await good.until(lambda: good.of(DeviceFound))
        await bad.until(lambda: bad.of(DeviceLost))
        assert not bad.of(DeviceFound)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
