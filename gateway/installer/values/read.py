"""`read`: points of a device as the gateway reads them, or registers as they are."""

from __future__ import annotations

from contract.readings import Reading
from drivers.profiles.profile import Profile
from drivers.profiles.wording import value_of
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.terminal.wording import lost
from gateway.installer.values.raw import Registers, read_registers
from gateway.installer.wire.driving import Driven, driven, reachable
from gateway.installer.wire.sites import At, device_of, unknown


async def points(screen: Screen, site: At, device: str, names: list[str]) -> int:
    """Reads points of a device of the site; the exit status: 1 if any could not be read."""
    loaded, folder, within_s = site
    installed, profile, bus_id, bus = device_of(loaded, device)
    for name in names:
        if name not in profile.points:
            raise unknown("点位", "point", name, list(profile.points))
    wanted = names or list(profile.points)
    if not wanted:
        raise Trouble(
            f"{device}（{profile.id}）没有点位可读", f"{device} ({profile.id}) has no points that could be read"
        )
    if not bus.dialled:
        raise Trouble(
            f"{device} 自己推送到网关，问不到它：请看现场控制台的“实时监测”页",
            f"{device} pushes to the gateway and cannot be asked: look at Values on the gateway's console",
        )
    await reachable(bus)
    async with driven(bus_id, bus, {device: (installed, profile)}, folder) as wire:
        with screen.doing(1) as step:
            step.now(screen.say(f"读取 {device}", f"reading {device}"))
            await wire.until_read({f"{device}.{name}" for name in wanted}, within_s)
    return report(screen, device, profile, wanted, wire)


def report(screen: Screen, device: str, profile: Profile, wanted: list[str], wire: Driven) -> int:
    """Shows what was read; the exit status."""
    say = screen.say
    found = {name: wire.readings.get(f"{device}.{name}") for name in wanted}
    rows = [
        [name, say.of(profile.points[name].name), _value(profile, name, reading, screen), _quality(reading, screen)]
        for name, reading in found.items()
    ]
    screen.table((say("点位", "point"), say("名称", "name"), say("数值", "value"), say("质量", "quality")), rows)
    if device in wire.lost:
        why = lost(wire.lost[device], say)
        screen.warn(f"{device} 没有应答：{why}", f"{device} does not answer: {why}")
    for refused in wire.refused[-3:]:
        sample = refused.sample.hex(" ")
        screen.warn(
            f"线上有读不懂的数据：{refused.why} [{sample}]", f"bytes that cannot be used: {refused.why} [{sample}]"
        )
    screen.record(
        device=device,
        points={name: _as_json(profile, name, reading) for name, reading in found.items()},
        lost=wire.lost.get(device),
    )
    good = all(reading is not None and reading.quality == "good" for reading in found.values())
    return 0 if good else FAILED


def _value(profile: Profile, name: str, reading: Reading | None, screen: Screen) -> str:
    return "—" if reading is None else value_of(profile.points[name], reading.value, screen.say)


def _quality(reading: Reading | None, screen: Screen) -> str:
    if reading is None:
        return screen.say("没有读到", "not read")
    return {"good": screen.say("正常", "good"), "stale": screen.say("过时", "stale")}.get(
        reading.quality, screen.say("无效（设备拒绝或数值不合理）", "bad (refused, or no sensible value)")
    )


def _as_json(profile: Profile, name: str, reading: Reading | None) -> dict[str, object] | None:
    if reading is None:
        return None
    return {"value": reading.value, "unit": profile.points[name].unit, "quality": reading.quality}


async def registers(screen: Screen, asked: Registers) -> int:
    """Reads registers or bits as they are; the exit status."""
    answer = await read_registers(asked)
    say = screen.say
    rows = [[str(at), *cells] for at, cells in answer.rows()]
    heads = (say("地址", "address"), *answer.heads(say))
    screen.table(heads, rows)
    screen.note(f"用时 {1000 * answer.took_s:.0f} 毫秒", f"took {1000 * answer.took_s:.0f} ms")
    screen.record(
        unit=asked.unit,
        fc=asked.fc,
        address=asked.start,
        raw=answer.data.hex(),
        values=answer.values(),
        took_ms=round(1000 * answer.took_s, 1),
    )
    return 0
