"""The site file as the tools use it: loaded whole or refused with all its mistakes; wires found by id or port."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from config import LoadedSite, SiteErrors, load_site
from config.mistakes import closest
from drivers.profiles.profile import Profile
from drivers.wiring import BusPart, SerialBus
from gateway.installer.terminal.trouble import FAILED, Trouble


class At(NamedTuple):
    """A site and how it is driven. `folder`: the gateway's data (passwords, keys); `within_s`: how long to wait."""

    site: LoadedSite
    folder: Path
    within_s: float


def load(path: Path, wires: Path | None) -> LoadedSite:
    """The site; raises `Trouble` with every mistake."""
    try:
        return load_site(path, wires)
    except SiteErrors as errors:
        count = len(errors.mistakes)
        raise Trouble(f"{errors.say('zh')}\n{count} 处错误", f"{errors.say('en')}\nmistakes: {count}", FAILED) from None


def device_of(loaded: LoadedSite, id: str) -> tuple[Any, Profile, str, BusPart]:
    """A device, its profile, its bus's id and its bus. Raises `Trouble` with the likeliest name."""
    devices = loaded.site.devices
    found = devices.get(id)
    if found is None:
        raise unknown("设备", "device", id, list(devices))
    return found, loaded.profile_of(id), found.bus, loaded.site.buses[found.bus]


def unknown(zh: str, en: str, asked: str, known: list[str]) -> Trouble:
    """Words for a name that is not there."""
    likely = closest(asked, known)
    listed = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    if likely is not None:
        return Trouble(f"没有{zh} {asked}；是否想写 {likely}？", f"there is no {en} {asked}; did you mean {likely}?")
    return Trouble(
        f"没有{zh} {asked}；有：{listed or '（无）'}", f"there is no {en} {asked}; there are: {listed or '(none)'}"
    )


def bus_of(loaded: LoadedSite, id: str | None, port: str | None) -> tuple[str, BusPart]:
    """The bus that was named, or the one whose serial port was, or the only serial one."""
    buses = loaded.site.buses
    if id is not None:
        if id not in buses:
            raise unknown("线路", "bus", id, list(buses))
        return id, buses[id]
    serial = {name: bus for name, bus in buses.items() if isinstance(bus, SerialBus)}
    if port is not None:
        for name, bus in serial.items():
            if os.path.realpath(bus.port) == os.path.realpath(port):
                return name, bus
        raise unknown("串口线路", "bus with the serial port", port, [bus.port for bus in serial.values()])
    if len(serial) == 1:
        return next(iter(serial.items()))
    listed = ", ".join(f"{name} ({bus.port})" for name, bus in serial.items())
    raise Trouble(f"要用 --bus 指明线路：{listed}", f"name the bus with --bus: {listed}")


def on_bus(loaded: LoadedSite, bus: str) -> dict[str, tuple[Any, Profile]]:
    """A bus's devices with their profiles."""
    return {
        id: (installed, loaded.profile_of(id)) for id, installed in loaded.site.devices.items() if installed.bus == bus
    }
