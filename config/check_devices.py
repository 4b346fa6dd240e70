"""Buses and devices: whether they exist, fit each other and do not share an address."""

from __future__ import annotations

from config.document import Place
from config.draft import Draft
from config.mistakes import one_of
from config.site import Device
from contract.texts import Text
from drivers.profiles.profile import Profile
from drivers.profiles.words import ELECTRICITY_METER
from drivers.protocols import PROTOCOLS
from drivers.wiring import Hanging


def check_devices(draft: Draft) -> None:
    """Adds every mistake of buses and devices."""
    _wires(draft)
    for id_, device in draft.devices.items():
        _device(draft, id_, device)
    _addresses(draft)
    _ids(draft)


def _wires(draft: Draft) -> None:
    owners: dict[tuple[str, ...], str] = {}
    for id_, bus in draft.buses.items():
        place: Place = ("buses", id_)
        for where, words in bus.faults():
            draft.wrong((*place, *where), words)
        if bus.wire is None:
            continue
        owner = owners.setdefault(bus.wire, id_)
        if owner != id_:
            draft.wrong(
                (*place, "port"),
                Text(
                    f"与线路 {owner} 是同一条实际线路；一条实际线路只能配置一次",
                    f"the bus {owner} already owns this line",
                ),
                ":".join(bus.wire),
            )


def _device(draft: Draft, id_: str, device: Device) -> None:
    place: Place = ("devices", id_)
    bus = draft.buses.get(device.bus)
    draft.known((*place, "bus"), device.bus, draft.ids["buses"], Text("一条线路", "a bus"))
    profile = draft.profiles.get(device.profile)
    if profile is None:
        return
    if bus is not None and bus.kind not in profile.bus_kinds:
        fitting = [name for name, each in draft.buses.items() if each.kind in profile.bus_kinds]
        kinds = "/".join(sorted(profile.bus_kinds))
        draft.wrong(
            (*place, "bus"),
            one_of(Text(f" {kinds} 线路（{device.profile} 要用）", f"a {kinds} bus for {device.profile}"), fitting),
            f"{device.bus} ({bus.kind})",
        )
    for word in device.scale_by:
        draft.known(
            (*place, "scale_by", word), word, profile.multipliers, Text("产品型号的倍率", "a multiplier of the profile")
        )
    if missing := ", ".join(word for word in profile.untold if word not in device.scale_by):
        _unsaid_ratios(draft, (*place, "scale_by"), profile, missing)
    if profile.kind == ELECTRICITY_METER and profile.transformers is None:
        words = Text(
            "此产品型号未写 transformers：请写明读数是否已折算互感器变比（none/primary/ratio/unknown）",
            "this profile does not say `transformers`: are its values those behind transformers or what flows"
            " (none, primary, ratio, unknown)?",
        )
        draft.remark((*place, "profile"), words, device.profile)
    numbers = [name for name, point in profile.points.items() if point.type == "number"]
    for word in device.deadband:
        what = Text("产品型号中的数值点位", "a point of the profile that is a number")
        draft.known((*place, "deadband", word), word, numbers, what)
    by_leave = [name for name, command in profile.commands.items() if getattr(command, "opt_in", False)]
    for index, name in enumerate(device.allow_commands):
        what = Text("需要许可的指令", "a command that needs leave")
        draft.known((*place, "allow_commands", index), name, by_leave, what)
    if set(device.topic or "") & set("+#"):
        draft.wrong((*place, "topic"), Text("主题中不能有通配符 + 或 #", "a topic here has no wildcards + or #"))
    if bus is not None and bus.units is not None and device.unit not in bus.units:
        draft.wrong((*place, "unit"), bus.other_unit)
    if not device.secure and not PROTOCOLS[profile.protocol].wires.secure:
        words = Text("只有 OSDP 读头才有 secure", "only OSDP readers have a secure channel, this is none")
        draft.wrong((*place, "secure"), words, device.profile)


def _unsaid_ratios(draft: Draft, place: Place, profile: Profile, missing: str) -> None:
    """A mistake where the meter is known to need them; else the gateway goes on without its values, which are bad."""
    if profile.transformers == "unknown":
        words = Text(
            f"未写 scale_by（{missing}）：尚不清楚此表读数是否已折算互感器变比，在写明之前数值为坏值；"
            "请与表上显示核对：一致或直接接入写 1，否则写变比",
            f"is missing ({missing}): it is not known whether this meter's values are multiplied by its transformers'"
            " ratios, and until it is said they are bad; compare with its display: 1 where they agree or where it is"
            " connected directly, else the ratio",
        )
        draft.remark(place, words, "")
        return
    words = Text(
        f"缺少 scale_by（{missing}）：此表不提供互感器变比，须在此写明；直接接入写 1",
        f"scale_by is missing ({missing}): this meter does not tell its transformers' ratios; 1 where it has none",
    )
    draft.wrong(place, words, "")


def _addresses(draft: Draft) -> None:
    """By the profiles' protocols, so that a bus whose own lines are wrong hides nothing."""
    owners: dict[tuple[str, str], str] = {}
    for id_, device in draft.devices.items():
        profile = draft.profile_of(id_)
        if profile is None:
            continue
        others = [name for name, other in draft.devices.items() if other.bus == device.bus and name != id_]
        wires = PROTOCOLS[profile.protocol].wires
        address = wires.address(Hanging(device, profile, device.bus, others))
        if address is None or draft.stands_in(place := ("devices", id_, address.word)):
            continue
        if address.wrong is not None:
            draft.wrong(place, address.wrong, address.found)
        if address.doubt is not None:
            draft.remark(place, address.doubt, address.found)
        if address.alike is None or device.bus not in draft.ids["buses"]:
            continue
        owner = owners.setdefault((device.bus, address.alike), id_)
        if owner != id_:
            zh = wires.twice.zh.format(owner=owner, bus=device.bus)
            en = wires.twice.en.format(owner=owner, bus=device.bus)
            draft.wrong(place, Text(zh, en), address.found)


def _ids(draft: Draft) -> None:
    """Events name doors, lanes and devices as source, and grants name doors, lanes and zones: no two alike."""
    for sections in (("devices", "doors", "lanes"), ("doors", "lanes", "zones")):
        owners: dict[str, str] = {}
        for section in sections:
            for id_ in draft.ids[section]:
                owner = owners.setdefault(id_, section)
                if owner != section:
                    line = draft.document.line((owner, id_))
                    draft.wrong(
                        (section, id_),
                        Text(
                            f"编号重复：{owner} 中已有（第 {line} 行）",
                            f"this id is already among {owner} (line {line})",
                        ),
                        id_,
                    )
