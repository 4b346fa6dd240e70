"""The site's own broker, as a site file names it. Pure."""

from __future__ import annotations

from typing import Literal

from contract.texts import Text
from drivers.mqtt.product import needs_topic
from drivers.wiring import Address, Hanging, Port, TcpBus, Wires


class MqttBus(TcpBus):
    """The site's own broker, which MQTT devices speak through."""

    opening = "drivers.mqtt.opening"

    kind: Literal["mqtt"]
    """What the wire carries."""
    host: str
    """Address or name of the broker."""
    port: Port = 1883
    """TCP port of the broker."""
    username: str | None = None
    """Where the broker asks for one."""
    password_file: str | None = None
    """A file that holds nothing but the password, relative to the gateway's data folder."""
    tls: bool = False
    """Speak TLS, and trust the authorities that this machine trusts."""
    ca_file: str | None = None
    """Speak TLS, and trust this authority (a PEM file, relative to the gateway's data folder)."""
    in_clear: bool = False
    """The password may go to another machine without TLS: nobody else can listen on the way."""

    @property
    def wire(self) -> None:
        """Many may speak to a broker."""


def _address(of: Hanging) -> Address:
    topic = of.device.topic
    if topic is None and (of.profile.dialect is not None or needs_topic(of.profile)):
        return Address(
            "topic", "", wrong=Text("缺少此项：该设备的 MQTT 主题前缀", "is missing: the device's MQTT prefix")
        )
    return Address("topic", topic or "", alike=topic)


WIRES = Wires(
    buses=(MqttBus,),
    address=_address,
    twice=Text("线路 {bus} 上 {owner} 已用此主题", "{owner} already has this topic on {bus}"),
    speaks_first=True,
)
