"""Opens the buses of a site: one explicit table from the kind that a site file names to the owner of such a wire.

Takes the parts of the site file by their shape, so that drivers need not know the file itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from drivers.bus import Bus
from drivers.errors import DriverError
from drivers.lines.bus import LineBus, SerialOpener, TcpOpener
from drivers.modbus.bus import ModbusBus
from drivers.modbus.station import Station
from drivers.modbus.wire import RtuWire, TcpWire
from drivers.mqtt.bus import MqttBus
from drivers.profiles.profile import Profile
from drivers.push import PushBus
from drivers.reports import Sink


class Installed(Protocol):
    """What a site file says of a device (`config.site.Device` fits)."""

    @property
    def unit(self) -> int: ...

    @property
    def topic(self) -> str | None: ...

    @property
    def poll_s(self) -> float | None: ...

    @property
    def scale_by(self) -> dict[str, float]: ...


Part = TypeVar("Part", bound=Installed)
Devices = Mapping[str, tuple[Installed, Profile]]
Clock = Callable[[], int]
"""Unix milliseconds."""


class Gateway(NamedTuple):
    """What every wire needs of the gateway. `folder`: where the password files are."""

    sink: Sink
    clock: Clock
    folder: Path


class WrongInstallation(DriverError):
    """The site file asks for something that no driver can do; the validator of site files says so earlier."""


def open_bus(
    id: str,
    bus: Any,
    devices: Mapping[str, tuple[Part, Profile]],
    *,
    sink: Sink,
    clock: Clock,
    folder: Path | None = None,
) -> Bus:
    """The owner of a wire, not yet running. `bus`: a part of `config.site.AnyBus`. `folder`: where password files are.

    Raises `WrongInstallation`.
    """
    opener = KINDS.get(bus.kind)
    if opener is None:
        raise WrongInstallation(f"{id}: no driver for a bus of kind {bus.kind}")
    for device, (_, profile) in devices.items():
        if bus.kind not in profile.bus_kinds:
            raise WrongInstallation(f"{device}: {profile.id} cannot hang on {id}, which is {bus.kind}")
    return opener(id, bus, dict(devices), Gateway(sink, clock, folder or Path()))


def _modbus_tcp(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    owner: ModbusBus

    def refuse(data: bytes) -> None:
        owner.refuse("bytes that are no Modbus answer", data)

    wire = TcpWire(bus.host, bus.port, refuse)
    owner = ModbusBus(id, wire, _stations(devices), sink=gateway.sink, clock=gateway.clock, timeout_s=bus.timeout_s)
    return owner


def _modbus_rtu(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    owner: ModbusBus

    def stray(frame: bytes) -> None:
        owner.stray(frame)

    wire = RtuWire(
        bus.port,
        baud=bus.baud,
        parity=bus.parity,
        stop_bits=bus.stop_bits,
        units=frozenset(device.unit for device, _ in devices.values()),
        guard_s=max((profile.limits.guard_s for _, profile in devices.values()), default=0.0),
        on_stray=stray,
    )
    owner = ModbusBus(id, wire, _stations(devices), sink=gateway.sink, clock=gateway.clock, timeout_s=bus.timeout_s)
    return owner


def _stations(devices: Devices) -> dict[str, Station]:
    return {name: Station(name, device, profile) for name, (device, profile) in devices.items()}


def _line_serial(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    return _line(id, SerialOpener(bus.port, baud=bus.baud, parity=bus.parity), devices, gateway.sink)


def _line_tcp(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    return _line(id, TcpOpener(bus.host, bus.port), devices, gateway.sink)


def _line(id: str, opener: SerialOpener | TcpOpener, devices: Devices, sink: Sink) -> Bus:
    if len(devices) != 1:
        raise WrongInstallation(f"{id}: one reader belongs on a line of text, there are {len(devices)}")
    (reader, (_, profile)), *_ = devices.items()
    if profile.line is None:
        raise WrongInstallation(f"{reader}: {profile.id} does not say how its lines look")
    return LineBus(id, opener, reader, profile.line, sink=sink)


def _mqtt(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    prefixes: dict[str, tuple[str, Profile]] = {}
    for name, (device, profile) in devices.items():
        if not device.topic or set(device.topic) & set("+#"):
            raise WrongInstallation(f"{name}: a topic without wildcards is missing")
        prefixes[name] = (device.topic, profile)

    def password() -> str | None:
        if bus.password_file is None:
            return None
        file: Path = gateway.folder / bus.password_file
        try:
            return file.read_text().strip()
        except OSError as wrong:
            raise OSError(f"the password file {bus.password_file} cannot be read: {wrong.strerror}") from wrong

    return MqttBus(
        id,
        bus.host,
        bus.port,
        prefixes,
        sink=gateway.sink,
        clock=gateway.clock,
        username=bus.username,
        password=password,
    )


def _http_push(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    return PushBus(id, {name: profile for name, (_, profile) in devices.items()}, sink=gateway.sink)


KINDS: dict[str, Callable[[str, Any, Devices, Gateway], Bus]] = {
    "modbus-tcp": _modbus_tcp,
    "modbus-rtu": _modbus_rtu,
    "line-serial": _line_serial,
    "line-tcp": _line_tcp,
    "mqtt": _mqtt,
    "http-push": _http_push,
}
"""Kinds of buses that a site file can name."""
