"""Which protocols can be understood by listening, and what each needs of the site file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from drivers.cjt188 import codec as cjt188
from drivers.dlt645 import codec as dlt645
from drivers.dlt698 import codec as dlt698
from drivers.mbus import codec as mbus
from drivers.profiles.profile import Profile
from gateway.installer.terminal.language import Speech
from gateway.installer.watch.dlt698 import dlt698_message
from gateway.installer.watch.mbus import MbusTalk
from gateway.installer.watch.meters import MeterDissector, cjt188_message, dlt645_message
from gateway.installer.watch.modbus_words import ModbusDissector, device
from gateway.installer.watch.osdp import OsdpDissector
from gateway.installer.watch.seen import Dissector


class OnWire(NamedTuple):
    """What is known: the wire's devices by id (from the site file), and every product."""

    devices: Mapping[str, tuple[Any, Profile]]
    profiles: Sequence[Profile]

    def of(self, protocol: str) -> dict[str, tuple[Any, Profile]]:
        """The devices that speak it."""
        return {id: each for id, each in self.devices.items() if each[1].protocol == protocol}


def _modbus(wire: OnWire, say: Speech) -> Dissector:
    units = {
        installed.unit: device(id, profile, installed.scale_by)
        for id, (installed, profile) in wire.of("modbus").items()
    }
    return ModbusDissector(units, say)


def _meters(wire: OnWire, protocol: str) -> tuple[dict[str, tuple[str, Profile]], list[Profile]]:
    width = 14 if protocol == "cjt188" else 12
    known = {
        str(installed.address).zfill(width): (id, profile)
        for id, (installed, profile) in wire.of(protocol).items()
        if installed.address is not None
    }
    return known, [profile for profile in wire.profiles if profile.protocol == protocol]


def _dlt645(wire: OnWire, say: Speech) -> Dissector:
    return MeterDissector(dlt645.frames(), dlt645_message, *_meters(wire, "dlt645"), say)


def _cjt188(wire: OnWire, say: Speech) -> Dissector:
    return MeterDissector(cjt188.frames(), cjt188_message, *_meters(wire, "cjt188"), say)


def _mbus(wire: OnWire, say: Speech) -> Dissector:
    known = {
        str(installed.unit) if installed.address is None else mbus.secondary(installed.address): (id, profile)
        for id, (installed, profile) in wire.of("mbus").items()
    }
    # Only a site file says which product a meter is: most records fit most products.
    return MeterDissector(mbus.frames(), MbusTalk(), known, [], say)


def _dlt698(wire: OnWire, say: Speech) -> Dissector:
    return MeterDissector(dlt698.frames(), dlt698_message, *_meters(wire, "dlt698"), say)


def _osdp(wire: OnWire, say: Speech) -> Dissector:
    return OsdpDissector({installed.unit: id for id, (installed, _) in wire.of("osdp").items()}, say)


LISTENERS: dict[str, Callable[[OnWire, Speech], Dissector]] = {
    "modbus": _modbus,
    "dlt645": _dlt645,
    "cjt188": _cjt188,
    "mbus": _mbus,
    "dlt698": _dlt698,
    "osdp": _osdp,
}
"""By the word for `--protocol`."""
