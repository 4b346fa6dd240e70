"""`discover` on a real broker: what a device announces becomes a draft that loads."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from drivers.profiles.files import read
from tests.brokers import PASSWORD, USERNAME, Broker
from tests.gateway.installer.tool import tool

ANNOUNCED = {
    "name": "Temperature",
    "unique_id": "cellar-t",
    "state_topic": "cellar/state",
    "value_template": "{{ value_json.temperature }}",
    "unit_of_measurement": "°C",
    "device_class": "temperature",
    "device": {"identifiers": ["cellar"], "name": "Cellar climate"},
}


async def test_a_device_becomes_a_draft(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    await broker.start()
    try:
        async with broker.client() as client:
            await client.publish("homeassistant/sensor/cellar/t/config", json.dumps(ANNOUNCED), qos=1, retain=True)
        secret = tmp_path / "secret"
        secret.write_text(PASSWORD)
        where = ["--host", f"127.0.0.1:{broker.port}", "--username", USERNAME, "--password-file", str(secret)]
        done = await asyncio.to_thread(tool, "discover", *where, "--out", str(tmp_path / "mine"))
        assert done.returncode == 0, done.stderr
        assert "Cellar climate" in done.stdout
        (written,) = (tmp_path / "mine").glob("*/*.yaml")
        assert read(written).protocol == "mqtt"
        again = await asyncio.to_thread(tool, "discover", *where, "--out", str(tmp_path / "mine"))
        assert again.returncode == 1 and "left as it is" in again.stderr
        nobody = await asyncio.to_thread(tool, "discover", *where, "--prefix", "elsewhere", "--within", "1")
        assert nobody.returncode == 1 and "no device announces itself" in nobody.stdout
    finally:
        await broker.stop()


def test_no_broker_is_told_in_words() -> None:
    done = tool("discover", "--host", "127.0.0.1:9")
    assert done.returncode == 1
    assert "the MQTT broker at 127.0.0.1:9 cannot be reached" in done.stderr
