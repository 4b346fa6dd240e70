"""Meters on shared lines: whether each has an address that its protocol knows, and none has another's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.document import Place
from config.draft import Draft
from contract.texts import Text

DIGITS: Mapping[str, int] = {"dlt645": 12, "cjt188": 14, "dlt698": 12}
"""By protocol: digits of an address as it is printed on the meter; zeros in front may be left out."""


MBUS_UNITS = range(251)
"""Primary addresses of M-Bus (EN 13757-2, section 5.7.5)."""

MBUS_ADDRESS = re.compile(r"[0-9F]{8}(?:[0-9A-F]{8})?", re.IGNORECASE)
"""Secondary addresses: the digits on the meter, where needed with maker, version and medium; F fits anything."""


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
        if len(device.address) == digits - 1:
            words = Text(
                f"只有 {digits - 1} 位，表上一般印 {digits} 位：是否漏了一位？将按 {device.address.zfill(digits)} 使用",
                f"has {digits - 1} digits where meters bear {digits}: is one missing?"
                f" {device.address.zfill(digits)} will be used",
            )
            draft.remark(place, words, device.address)
        owner = owners.setdefault((device.bus, profile.protocol, device.address.zfill(digits)), id_)
        if owner != id_:
            words = Text(
                f"总线 {device.bus} 上 {owner} 已用此地址", f"{owner} already has this address on {device.bus}"
            )
            draft.wrong(place, words, device.address)


def check_mbus(draft: Draft) -> None:
    """Adds every mistake of M-Bus addresses: a meter has a primary one (`unit`), or is selected by `address`."""
    owners: dict[tuple[str, str], str] = {}
    for id_, device in draft.devices.items():
        profile = draft.profile_of(id_)
        if profile is None or profile.protocol != "mbus":
            continue
        key = "unit" if device.address is None else "address"
        place: Place = ("devices", id_, key)
        if draft.stands_in(place):
            continue
        found = str(device.unit) if device.address is None else device.address.upper()
        if device.address is None and device.unit not in MBUS_UNITS:
            draft.wrong(place, Text("M-Bus 主地址为 0–250", "a primary M-Bus address is 0 to 250"), found)
        elif device.address is not None and MBUS_ADDRESS.fullmatch(device.address) is None:
            words = Text(
                "应为表上印的 8 位数字，或加上厂家、版本和介质共 16 位（F 代表任意）",
                "expected the 8 digits printed on the meter, or 16 with maker, version and medium (F fits anything)",
            )
            draft.wrong(place, words, found)
        elif (owner := owners.setdefault((device.bus, f"{key} {found}"), id_)) != id_:
            words = Text(
                f"总线 {device.bus} 上 {owner} 已用此地址", f"{owner} already has this address on {device.bus}"
            )
            draft.wrong(place, words, found)
