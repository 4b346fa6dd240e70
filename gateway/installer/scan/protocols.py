"""Which protocols a search knows: one entry each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from contract.texts import Text
from drivers.profiles.profile import Profile
from gateway.installer.scan.questions import Ask, Hit, modbus_ask
from gateway.installer.scan.questions_dlt698 import dlt698_asks
from gateway.installer.scan.questions_mbus import mbus_asks
from gateway.installer.scan.questions_meters import cjt188_asks, dlt645_asks
from gateway.installer.scan.questions_osdp import osdp_asks
from gateway.installer.scan.sweeps import Setting


class Protocol(NamedTuple):
    """How a protocol is searched for. `asks`: what to ask; `usual`: whether it is met with such a setting.

    `serial`, `tcp`: the site file's buses for it, on a serial port and behind a converter.
    """

    title: Text
    asks: Callable[[list[int]], list[Ask]]
    usual: Callable[[Setting], bool]
    serial: str
    tcp: str


def _meters(setting: Setting) -> bool:
    return (setting.parity == "E" and setting.baud <= 9600) or setting == Setting(9600)


PROTOCOLS: dict[str, Protocol] = {
    "modbus": Protocol(
        Text("Modbus RTU", "Modbus RTU"),
        lambda units: [modbus_ask(unit) for unit in units],
        lambda _: True,
        "modbus-rtu",
        "modbus-rtu-tcp",
    ),
    "dlt645": Protocol(Text("DL/T 645 电表", "DL/T 645 meters"), dlt645_asks, _meters, "meter-serial", "meter-tcp"),
    "cjt188": Protocol(Text("CJ/T 188 水气热表", "CJ/T 188 meters"), cjt188_asks, _meters, "meter-serial", "meter-tcp"),
    "mbus": Protocol(
        Text("M-Bus 仪表", "M-Bus meters"),
        mbus_asks,
        lambda setting: setting.parity == "E" and setting.baud <= 9600,
        "meter-serial",
        "meter-tcp",
    ),
    "dlt698": Protocol(
        Text("DL/T 698.45 电表", "DL/T 698.45 meters"), dlt698_asks, _meters, "meter-serial", "meter-tcp"
    ),
    "osdp": Protocol(
        Text("OSDP 读头", "OSDP readers"),
        osdp_asks,
        lambda setting: setting.parity == "N" and setting.baud >= 9600,
        "osdp-serial",
        "osdp-tcp",
    ),
}
"""By the word for `--protocol`, in the order in which they are asked."""


_TOLD = {"reader", "identity"}
"""Traits that tell no products apart."""

PRIMARY_DIGITS = 3
"""Digits of an M-Bus primary address at most; a secondary one has 16."""


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """Each M-Bus meter once: one that was selected needs no primary address, which others may share."""
    hits = list(hits)
    chosen = {hit.address for hit in hits if hit.protocol == "mbus" and len(hit.address) > PRIMARY_DIGITS}
    return [hit for hit in hits if hit.address in chosen or hit.traits.get("identity") not in chosen]


def matching(hit: Hit, profiles: Sequence[Profile]) -> list[Profile]:
    """The products that a device of another protocol than Modbus may be, by what its answer told."""
    found = sorted(
        (profile for profile in profiles if profile.protocol == hit.protocol), key=lambda each: (len(each.id), each.id)
    )
    for trait, value in hit.traits.items():
        if trait == "kind":
            found = [each for each in found if each.kind == value]
        elif trait not in _TOLD:
            found = [each for each in found if each.meter is not None and getattr(each.meter, trait) == value]
    return found


def address_of(hit: Hit) -> dict[str, object]:
    """What addresses it in a site file."""
    if hit.protocol in {"modbus", "osdp"} or (hit.protocol == "mbus" and len(hit.address) <= PRIMARY_DIGITS):
        return {"unit": int(hit.address)}
    return {"address": hit.address}
