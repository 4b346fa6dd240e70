"""Every wire of a site, opened on this machine, and the file that tells a gateway where they are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from drivers.mqtt.wires import MqttBus
from simulators.camera.attach import CameraHttpWire
from simulators.camera.frigate_wire import FrigateCamera
from simulators.camera.wire import HttpPushWire
from simulators.lines.wires import LineSerialWire, LineTcpWire
from simulators.meters.wires import MeterSerialWire, MeterTcpWire
from simulators.modbus.server import ModbusRtuTcpWire, ModbusRtuWire, ModbusTcpWire
from simulators.mqtt.wire import BrokerAccess, MqttWire
from simulators.osdp.wires import OsdpSerialWire, OsdpTcpWire
from simulators.site import SimSite

Known = dict[str, dict[str, Any]]
"""Bus → the fields of the site file's bus that are different here."""


class Wire(Protocol):
    """One wire, seen from the devices' end."""

    id: str

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens it, where it was `before` if that is free; its entry in the wires file."""

    async def attend(self) -> None:
        """Called after each step of the world: follows faults, fetches what happened."""

    async def close(self) -> None:
        """Takes it away."""


class WiresFault(ValueError):
    """A wires file that cannot be used; says which and why."""


def read_wires(path: Path | None) -> Known:
    """A wires file; empty if there is none. `WiresFault` if it is no such file."""
    if path is None or not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise WiresFault(f"{path} is no wires file: {wrong}") from wrong
    if not isinstance(document, dict) or not all(isinstance(entry, dict) for entry in document.values()):
        raise WiresFault(f"{path} is no wires file: an object of objects is expected")
    return document


def write_wires(path: Path, known: Known) -> None:
    """Writes the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(known, indent=2, ensure_ascii=False), encoding="utf-8")
    part.replace(path)


class Setting(NamedTuple):
    """What a simulated wire gets. `on_bus`: its devices; `known`: its entry among the wires that exist already."""

    id: str
    bus: Any
    on_bus: list[str]
    site: SimSite
    known: Mapping[str, Any]
    folder: Path
    gateway_url: str
    paced: bool


def wires_of(site: SimSite, known: Known, folder: Path, gateway_url: str, *, paced: bool) -> dict[str, Wire]:
    """A wire for every bus of the site that devices hang on. `known`: buses that exist already (MQTT brokers)."""
    wires: dict[str, Wire] = {}
    for id_, bus in site.site.buses.items():
        on_bus = [device.id for device in site.devices.values() if device.config.bus == id_]
        if on_bus:
            wires[id_] = WIRES[bus.kind](
                Setting(id_, bus, on_bus, site, known.get(id_, {}), folder, gateway_url, paced)
            )
    return wires


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
    broker = _broker(of.bus, of.known, "SITE_BROKER")
    frigate = _broker(of.bus, of.known, "FRIGATE")
    if frigate.username is None:
        frigate = broker
    seeing = [device for device in of.on_bus if of.site.devices[device].role == "camera"]
    return MqttWire(of.id, of.site, broker, {device: FrigateCamera(device, of.site, frigate) for device in seeing})


WIRES: Mapping[str, Callable[[Setting], Wire]] = {
    "modbus-tcp": lambda of: ModbusTcpWire(of.id, of.bus, of.site),
    "modbus-rtu": lambda of: ModbusRtuWire(of.id, of.bus, of.site, of.folder, paced=of.paced),
    "modbus-rtu-tcp": lambda of: ModbusRtuTcpWire(of.id, of.bus, of.site, paced=of.paced),
    "line-tcp": lambda of: LineTcpWire(of.id, of.on_bus[0], of.site),
    "line-serial": lambda of: LineSerialWire(of.id, of.on_bus[0], of.site, of.folder),
    "osdp-serial": lambda of: OsdpSerialWire(
        of.id, of.on_bus, of.site, of.folder, pace=10 / of.bus.baud if of.paced else 0.0
    ),
    "osdp-tcp": lambda of: OsdpTcpWire(of.id, of.on_bus, of.site, of.folder),
    "meter-serial": lambda of: MeterSerialWire(of.id, of.bus, of.site, of.folder, paced=of.paced),
    "meter-tcp": lambda of: MeterTcpWire(of.id, of.bus, of.site, paced=of.paced),
    "mqtt": _mqtt,
    "http-push": lambda of: HttpPushWire(of.id, of.site, of.gateway_url),
    "camera-http": lambda of: CameraHttpWire(of.id, of.on_bus[0], of.site, of.folder),
}
"""By the kind of a bus of the site file: the other end of such a wire."""
