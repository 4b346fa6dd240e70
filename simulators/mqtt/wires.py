"""The devices at the site's own broker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivers.mqtt.wires import MqttBus
from simulators.ends import Ends, Setting
from simulators.mqtt.frigate import FrigateCamera
from simulators.mqtt.wire import BrokerAccess, MqttWire


def _broker(bus: MqttBus, known: Mapping[str, Any], account: str) -> BrokerAccess:
    """The broker of an MQTT bus. The simulators' own accounts come from the environment: `GATEHOUSE_<account>_…`."""
    password_file = os.environ.get(f"GATEHOUSE_{account}_PASSWORD_FILE")
    return BrokerAccess(
        host=str(known.get("host", bus.host)),
        port=int(known.get("port", bus.port)),
        username=os.environ.get(f"GATEHOUSE_{account}_USERNAME"),
        password=Path(password_file).read_text(encoding="utf-8").strip() if password_file else None,
    )


def _mqtt(of: Setting) -> MqttWire:
    broker = _broker(of.part(MqttBus), of.known, "SITE_BROKER")
    frigate = _broker(of.part(MqttBus), of.known, "FRIGATE")
    if frigate.username is None:
        frigate = broker
    seeing = [device for device in of.on_bus if of.site.devices[device].role == "camera"]
    return MqttWire(of.id, of.site, broker, {device: FrigateCamera(device, of.site, frigate) for device in seeing})


WIRES = Ends({"mqtt": _mqtt})
