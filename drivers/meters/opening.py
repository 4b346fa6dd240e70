"""Opens meter lines. One explicit table from a profile's protocol to the station of such a meter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drivers.bus import Bus, CommandFailed
from drivers.installed import Devices, Gateway, Installed, WrongInstallation, password_of
from drivers.lines.bus import SerialOpener, TcpOpener
from drivers.meters.bus import MeterBus, Timing
from drivers.meters.cjt188_station import Cjt188Station
from drivers.meters.dialect import Station
from drivers.meters.dlt645_station import Dlt645Station
from drivers.meters.dlt698_station import Dlt698Station
from drivers.meters.mbus_station import MbusStation
from drivers.meters.wire import OpenedLine
from drivers.profiles.profile import Profile

EVEN_BITS = 11
"""Bits of a character behind a converter, whose parity nobody tells: 8E1."""


def open_wire(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `meter-…`. Raises `WrongInstallation`."""
    stations = {name: _station(name, device, profile, gateway) for name, (device, profile) in devices.items()}
    nameless = [name for name, (device, profile) in devices.items() if _by_address(profile) and not device.address]
    if nameless and len(devices) > 1:
        raise WrongInstallation(f"{nameless[0]}: only a meter that is alone on {id} needs no address")
    if bus.kind == "meter-serial":
        opener = SerialOpener(bus.port, baud=bus.baud, parity=bus.parity, stop_bits=bus.stop_bits)
        line = OpenedLine(opener, remote=False)
        bits = 9 + (bus.parity != "N") + bus.stop_bits
    else:
        line = OpenedLine(TcpOpener(bus.host, bus.port), remote=True)
        bits = EVEN_BITS
    timing = Timing(bits / bus.baud, bus.timeout_s)
    return MeterBus(id, line, stations, timing, sink=gateway.sink, clock=gateway.clock, zone=gateway.zone)


def _by_address(profile: Profile) -> bool:
    return profile.protocol in ("dlt645", "cjt188", "dlt698")


def _station(name: str, device: Installed, profile: Profile, gateway: Gateway) -> Station:
    station = STATIONS.get(profile.protocol)
    if station is None:
        raise WrongInstallation(f"{name}: no driver for {profile.protocol} on a meter line")
    return station(name, device, profile, gateway)


def _dlt645(name: str, device: Installed, profile: Profile, gateway: Gateway) -> Station:
    def password() -> str | None:
        try:
            return password_of(gateway, device.password_file)
        except OSError as wrong:
            raise CommandFailed(f"{name}: {wrong}", f"{name}：无法读取密码文件 {device.password_file}") from wrong

    return Dlt645Station(name, device, profile, password)


def _cjt188(name: str, device: Installed, profile: Profile, gateway: Gateway) -> Station:
    return Cjt188Station(name, device, profile)


def _mbus(name: str, device: Installed, profile: Profile, gateway: Gateway) -> Station:
    try:
        return MbusStation(name, device, profile)
    except ValueError as wrong:
        raise WrongInstallation(f"{name}: {wrong}") from wrong


def _dlt698(name: str, device: Installed, profile: Profile, gateway: Gateway) -> Station:
    return Dlt698Station(name, device, profile)


STATIONS: Mapping[str, Callable[[str, Installed, Profile, Gateway], Station]] = {
    "dlt645": _dlt645,
    "cjt188": _cjt188,
    "mbus": _mbus,
    "dlt698": _dlt698,
}
"""By a profile's protocol."""
