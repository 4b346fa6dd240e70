"""`check`: whether a site file is right, whether its wires exist on this machine, and with `--live` who answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from config import LoadedSite
from drivers.errors import DriverError
from drivers.profiles.profile import Profile
from drivers.protocols import PROTOCOLS
from drivers.wiring import BusPart, SerialBus
from gateway.installer.terminal.screen import Doing, Screen
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.terminal.wording import lost
from gateway.installer.wire.driving import driven, reachable
from gateway.installer.wire.ports import check_exists
from gateway.installer.wire.sites import At, on_bus

TOGETHER = 8
"""Wires that are tried at the same time."""

POINTS_S = 3.0
"""How long the points of devices that answer are waited for."""


class Result(NamedTuple):
    """A device (or a wire without devices): whether it is well (None: cannot be told), and why."""

    bus: str
    device: str
    well: bool | None
    words: str


async def check(screen: Screen, at: At, path: Path, *, live: bool) -> int:
    """Everything that can be said of the site; the exit status."""
    site = at.site.site
    screen.line(
        f"{path}：没有错误。线路 {len(site.buses)}，设备 {len(site.devices)}，门 {len(site.doors)}，"
        f"车道 {len(site.lanes)}，表 {len(site.meters)}，规则 {len(at.site.rules)}",
        f"{path}: no mistakes. {len(site.buses)} buses, {len(site.devices)} devices, {len(site.doors)} doors, "
        f"{len(site.lanes)} lanes, {len(site.meters)} meters, {len(at.site.rules)} rules",
        "green",
    )
    for remark in at.site.remarks:
        screen.warn(remark.say("zh"), remark.say("en"))
    results = await _live(screen, at) if live else _here(screen, at.site)
    _show(screen, results, live=live)
    screen.record(
        site=str(path),
        fingerprint=at.site.fingerprint,
        results=[{"bus": each.bus, "device": each.device, "ok": each.well, "words": each.words} for each in results],
    )
    bad = [each for each in results if each.well is False]
    if bad and live:
        screen.line(f"{len(bad)} 处不正常", f"not well: {len(bad)}", "red")
    return FAILED if live and bad else 0


def _here(screen: Screen, loaded: LoadedSite) -> list[Result]:
    """Serial ports that are not on this machine, or not for this user; nothing is opened."""
    found = []
    for id, bus in loaded.site.buses.items():
        if not isinstance(bus, SerialBus):
            continue
        port = bus.port
        try:
            check_exists(port)
        except Trouble as trouble:
            found.append(Result(id, "", False, screen.say.of(trouble.why)))
            continue
        if not os.access(port, os.R_OK | os.W_OK):
            found.append(Result(id, "", False, screen.say(f"没有权限打开 {port}", f"no permission to open {port}")))
    return found


async def _live(screen: Screen, at: At) -> list[Result]:
    limit = asyncio.Semaphore(TOGETHER)
    buses = at.site.site.buses
    with screen.doing(len(buses)) as step:
        done = 0

        async def one(id: str, bus: BusPart) -> list[Result]:
            nonlocal done
            async with limit:
                found = await _bus(screen, at, id, bus)
            done += 1
            _told(step, id, done)
            return found

        return [each for found in await asyncio.gather(*(one(id, bus) for id, bus in buses.items())) for each in found]


def _told(step: Doing, id: str, done: int) -> None:
    step.now(id, done)


async def _bus(screen: Screen, at: At, id: str, bus: BusPart) -> list[Result]:
    say = screen.say
    devices = on_bus(at.site, id)
    if not bus.dialled:
        words = say("设备自己推送到网关，此处无法试", "its devices push to the gateway: nothing to try from here")
        return [Result(id, device, None, words) for device in devices] or [Result(id, "", None, words)]
    try:
        await reachable(bus)
    except Trouble as trouble:
        words = say.of(trouble.why)
        return [Result(id, device, False, words) for device in devices] or [Result(id, "", False, words)]
    if not devices:
        return [Result(id, "", True, say("可以打开，没有设备", "opens; no devices"))]
    try:
        return await _asked(screen, at, id, bus, devices)
    except (DriverError, OSError) as wrong:
        return [Result(id, device, False, str(wrong)) for device in devices]


async def _asked(
    screen: Screen, at: At, id: str, bus: BusPart, devices: Mapping[str, tuple[Any, Profile]]
) -> list[Result]:
    say = screen.say
    async with driven(id, bus, devices, at.folder) as wire:
        await wire.until_settled(at.within_s)
        asked = {
            f"{id}.{point}" for id, (_, profile) in devices.items() if id in wire.found for point in profile.points
        }
        await wire.until_read(asked, POINTS_S)
        results = []
        for device, (_, profile) in devices.items():
            good = sum(
                reading.quality == "good" for point, reading in wire.readings.items() if point.startswith(f"{device}.")
            )
            if device in wire.lost:
                why = lost(wire.lost[device], say)
                results.append(Result(id, device, False, say(f"失联：{why}", f"is not there: {why}")))
            elif device in wire.found:
                results.append(Result(id, device, True, _answers(screen, profile, good)))
            elif PROTOCOLS[profile.protocol].wires.speaks_first:
                words = say("线路可用；设备有事才会发送", "the line is there; it speaks when it has something to say")
                results.append(Result(id, device, None, words))
            else:
                words = say(f"{at.within_s:g} 秒内没有应答", f"no answer within {at.within_s:g} s")
                results.append(Result(id, device, False, words))
        return results


def _answers(screen: Screen, profile: Profile, good: int) -> str:
    points = len(profile.points)
    if PROTOCOLS[profile.protocol].wires.cards == "text":
        return screen.say("线路已打开；读头只在刷卡时发送", "the line is open; a reader speaks when a card is shown")
    if not points:
        return screen.say("应答正常，没有点位", "answers; it has no points")
    return screen.say(f"应答正常，{points} 个点位中 {good} 个有值", f"answers; {good} of {points} points have a value")


def _show(screen: Screen, results: list[Result], *, live: bool) -> None:
    say = screen.say
    if not live:
        for each in results:
            screen.warn(f"{each.bus}：{each.words}", f"{each.bus}: {each.words}")
        return
    marks = {True: "✓", False: "✗", None: "·"}
    heads = (say("线路", "bus"), say("设备", "device"), "", say("结果", "result"))
    rows, before = [], None
    for each in results:
        # What is wrong with a wire is said once, not at each of its devices.
        same = before is not None and (each.bus, each.words) == (before.bus, before.words) and each.well is not True
        rows.append([each.bus, each.device, marks[each.well], say("同上", "the same") if same else each.words])
        before = each
    screen.table(heads, rows)
