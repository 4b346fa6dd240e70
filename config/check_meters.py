"""Meters on shared lines: whether each has an address that its protocol knows, and none has another's."""

from __future__ import annotations

from collections.abc import Mapping

from config.document import Place
from config.draft import Draft
from contract.texts import Text

DIGITS: Mapping[str, int] = {"dlt645": 12, "cjt188": 14}
"""By protocol: digits of an address as it is printed on the meter; zeros in front may be left out."""


def check_meters(draft: Draft) -> None:
    """Adds every mistake of meters' addresses."""
    owners: dict[tuple[str, str, str], str] = {}
    for id_, device in draft.devices.items():
        profile = draft.profile_of(id_)
        if profile is None or profile.protocol not in DIGITS:
            continue
        place: Place = ("devices", id_, "address")
        if draft.stands_in(place):
            continue
        if device.address is None:
            others = [name for name, other in draft.devices.items() if other.bus == device.bus and name != id_]
            if others:
                words = Text(
                    f"缺少此项：总线 {device.bus} 上还有 {others[0]}，表计需写表上的地址",
                    f"is missing: {others[0]} is on {device.bus} too, so the address printed on the meter is needed",
                )
                draft.wrong(place, words, "")
            continue
        digits = DIGITS[profile.protocol]
        if not (device.address.isdecimal() and len(device.address) <= digits):
            words = Text(
                f"应为表上印的地址，最多 {digits} 位数字", f"expected the printed address, up to {digits} digits"
            )
            draft.wrong(place, words, device.address)
            continue
        owner = owners.setdefault((device.bus, profile.protocol, device.address.zfill(digits)), id_)
        if owner != id_:
            words = Text(
                f"总线 {device.bus} 上 {owner} 已用此地址", f"{owner} already has this address on {device.bus}"
            )
            draft.wrong(place, words, device.address)
