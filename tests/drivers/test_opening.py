"""Every kind of bus of a site file has its driver, and what cannot be is said before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import pytest

from config.site import AnyBus, Device
from drivers.camera.push.bus import PushBus
from drivers.camera.push.wires import HttpPushBus
from drivers.installed import WrongInstallation
from drivers.lines.wires import TcpLineBus
from drivers.modbus.wires import ModbusTcpBus
from drivers.mqtt.wires import MqttBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.protocols import BUSES
from drivers.wiring import BusPart
from tests.drivers.products import Installed

TCP = ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1")


def test_the_table_has_every_kind_of_the_site_file() -> None:
    union = get_args(AnyBus)[0]
    kinds = {get_args(part.model_fields["kind"].annotation)[0] for part in get_args(union)}
    assert BUSES.keys() == kinds


def opened(bus: BusPart, **devices: tuple[Installed, str]) -> object:
    parts = {name.replace("_", "-"): (installed, load(profile)) for name, (installed, profile) in devices.items()}
    return open_bus("wire", bus, parts, sink=lambda report: None, clock=lambda: 0, folder=Path())


def test_a_device_on_the_wrong_wire() -> None:
    with pytest.raises(WrongInstallation, match="pump-1: grundfos_cim200 cannot hang on wire, which is line-tcp"):
        opened(TcpLineBus(kind="line-tcp", host="h", port=1), pump_1=(Installed(), "grundfos_cim200"))


def test_two_readers_on_one_line_of_text() -> None:
    with pytest.raises(WrongInstallation, match="one reader belongs on a line of text, there are 2"):
        opened(
            TcpLineBus(kind="line-tcp", host="h", port=1),
            a=(Installed(), "line_reader"),
            b=(Installed(), "line_reader"),
        )


@pytest.mark.parametrize("topic", [None, "", "garage/#", "+/co"])
def test_a_topic_that_is_none(topic: str | None) -> None:
    with pytest.raises(WrongInstallation, match="a topic without wildcards"):
        opened(MqttBus(kind="mqtt", host="h"), co=(Installed(topic=topic), "mqtt_co_sensor"))


class Pigeon(BusPart):
    """Nothing opens it."""

    kind: Literal["carrier-pigeon"]


def test_a_kind_without_a_driver() -> None:
    with pytest.raises(WrongInstallation, match="no driver for a bus of kind carrier-pigeon"):
        opened(Pigeon(kind="carrier-pigeon"))


def test_the_parts_of_a_site_file_fit() -> None:
    camera = Device(profile="zhenshi_plate_camera", bus="cameras")
    bus = open_bus(
        "cameras",
        HttpPushBus(kind="http-push"),
        {"cam": (camera, load("zhenshi_plate_camera"))},
        sink=lambda report: None,
        clock=lambda: 0,
    )
    assert isinstance(bus, PushBus)
    assert bus.knows("cam")
    assert not bus.online("cam")
