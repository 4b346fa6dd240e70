"""Opens the site's own broker."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.installed import Devices, Gateway, Opening, WrongInstallation
from drivers.mqtt.bus import MqttBus
from drivers.mqtt.product import needs_topic
from drivers.mqtt.wires import MqttBus as BrokerPart
from drivers.profiles.profile import Profile
from drivers.secrecy import credentials_of


def open_wire(id: str, bus: BrokerPart, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `mqtt`."""
    prefixes: dict[str, tuple[str, Profile]] = {}
    for name, (device, profile) in devices.items():
        if set(device.topic or "") & set("+#") or (needs_topic(profile) and not device.topic):
            raise WrongInstallation(f"{name}: a topic without wildcards is missing")
        prefixes[name] = (device.topic or "", profile)
    return MqttBus(
        id,
        bus.host,
        bus.port,
        prefixes,
        sink=gateway.sink,
        clock=gateway.clock,
        credentials=lambda: credentials_of(bus, gateway.folder),
    )


OPENING = Opening((BrokerPart,), open_wire)
