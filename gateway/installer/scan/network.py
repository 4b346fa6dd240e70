"""`scan --net`: which addresses of a network speak, what, and which products are behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.texts import Text
from drivers.profiles.profile import Profile
from drivers.searching import Hit, Setting, searches
from gateway.installer.scan import probing
from gateway.installer.scan.found import Found
from gateway.installer.scan.identifying import TcpAsker, examine, profiles, recognise
from gateway.installer.scan.makers import maker
from gateway.installer.scan.probing import SILENT_LIMIT, Units
from gateway.installer.scan.results import say_fit, suggest
from gateway.installer.scan.searching import Sweep, sweep
from gateway.installer.scan.sitelines import tcp_bus
from gateway.installer.terminal.screen import Doing, Screen
from gateway.installer.terminal.trouble import FAILED, INTERRUPTED, Trouble
from gateway.installer.terminal.wording import lasting
from gateway.installer.wire.channels import Gone, TcpChannel

PORTS = (502, 4001, 8899, 80)
"""Modbus TCP, two usual ports of serial converters, cameras and set-up pages."""

WEB = frozenset({80, 8080, 8000, 443})

BEHIND = Setting(9600)
"""What is supposed of a line behind a converter: only its silences depend on it."""

LINE_S = 0.25


@dataclass(slots=True)
class NetOrder:
    """What a person asked to be searched."""

    hosts: list[str]
    ports: list[int]
    units: list[int]
    protocols: list[str]
    thinks_s: float | None
    every: bool
    fit: bool


class Search(NamedTuple):
    """What was asked for, and the products that are known."""

    order: NetOrder
    known: Sequence[Profile]


@dataclass(slots=True)
class Spot:
    """One open port. `kind`: of the bus for it; "" if nothing that is known speaks there."""

    host: str
    port: int
    kind: str = ""
    words: str = ""
    note: str = ""
    found: list[Found] = field(default_factory=list)


async def scan_net(screen: Screen, order: NetOrder) -> int:
    """Searches the network; the exit status."""
    count = len(order.hosts) * len(order.ports)
    say = screen.say
    took = lasting(probing.connect_s(count), say)
    ports = ", ".join(map(str, order.ports))
    screen.note(
        f"扫描 {len(order.hosts)} 个地址的端口 {ports}：约 {took}，再加每个应答地址的辨认时间",
        f"scanning {len(order.hosts)} addresses, ports {ports}: about {took}, and more for each that answers",
        "",
    )
    started = asyncio.get_running_loop().time()
    spots: list[Spot] = []
    status = None
    try:
        with screen.doing(count) as step:
            await _search(screen, order, spots, step)
    except asyncio.CancelledError:
        status = INTERRUPTED
    _report(screen, order, spots, asyncio.get_running_loop().time() - started, interrupted=status is not None)
    return status if status is not None else (0 if any(spot.kind or spot.words for spot in spots) else FAILED)


async def _search(screen: Screen, order: NetOrder, spots: list[Spot], step: Doing) -> None:
    done = 0
    open_: list[tuple[str, int]] = []
    async for host, port, listens in probing.open_ports(order.hosts, order.ports):
        done += 1
        step.now(f"{host}:{port}", done)
        if listens:
            open_.append((host, port))
            screen.note(f"{host}:{port} 有人监听", f"{host}:{port} listens", "green")
    known, wrong = profiles() if order.fit else ([], [])
    if wrong:
        screen.warn(
            f"产品型号文件有误，未比较：{'、'.join(wrong)}",
            f"not compared, as the files have mistakes: {', '.join(wrong)}",
        )
    open_.sort(key=lambda each: (order.hosts.index(each[0]), order.ports.index(each[1])))
    step.total(len(open_) or 1)
    for at, (host, port) in enumerate(open_):
        step.now(screen.say(f"辨认 {host}:{port}", f"recognising {host}:{port}"), at)
        spot = Spot(host, port)
        spots.append(spot)
        await _recognise(screen, order, spot, known)


async def _recognise(screen: Screen, order: NetOrder, spot: Spot, known: Sequence[Profile]) -> None:
    if spot.port in WEB:
        await _web(screen, spot)
        return
    if "modbus" in order.protocols:
        units = await probing.modbus_units(spot.host, spot.port, order.units, every=order.every)
        if units is not None:
            await _modbus(screen, spot, units, known)
            return
    await _line(screen, order, spot, known)
    if not spot.kind:
        await _web(screen, spot)
    if not spot.kind and not spot.words:
        spot.words = screen.say(
            "开放，但不认识它说的话（读头、相机或别的设备？）",
            "open, but what it speaks is not known (reader, camera …?)",
        )


async def _modbus(screen: Screen, spot: Spot, units: Units, known: Sequence[Profile]) -> None:
    spot.kind = "modbus-tcp"
    spot.words = "Modbus TCP"
    if units.any:
        spot.note = screen.say("对任何地址都应答：单台设备", "answers for any unit: one device")
    elif units.stopped_at is not None:
        spot.note = screen.say(
            f"到地址 {units.stopped_at} 为止（连续 {SILENT_LIMIT} 个无应答，--all 查全部）",
            f"up to unit {units.stopped_at} ({SILENT_LIMIT} silent in a row; --all searches all)",
        )
    try:
        channel = await TcpChannel.dial(spot.host, spot.port, 2.0)
    except Trouble:
        return
    try:
        asker = TcpAsker(channel, 1.0)
        for unit, latency in sorted(units.found.items()):
            each = Found(Hit("modbus", str(unit), Text("Modbus TCP", "Modbus TCP"), b""), None, latency)
            spot.found.append(each)
            if known:
                each.fits, _ = await examine(asker, unit, known, None)
    except Gone:
        spot.note = screen.say("设备中途挂断", "it hung up meanwhile")
    finally:
        channel.close()


async def _line(screen: Screen, order: NetOrder, spot: Spot, known: Sequence[Profile]) -> None:
    """A converter that passes bytes through: asks as on a serial line."""
    for name in order.protocols:
        if searches()[name].tcp and not spot.kind:
            try:
                channel = await TcpChannel.dial(spot.host, spot.port, 2.0)
            except Trouble:
                return
            try:
                await _spoken(screen, spot, name, channel, Search(order, known))
            except Gone:
                continue
            finally:
                channel.close()


async def _spoken(screen: Screen, spot: Spot, name: str, channel: TcpChannel, search: Search) -> None:
    order, known = search
    hits = await _swept(channel, order, name)
    if not hits:
        return
    protocol = searches()[name]
    spot.kind = protocol.tcp
    spot.words = screen.say(f"透传串口：{protocol.title.zh}", f"a serial line passed through: {protocol.title.en}")
    for hit, latency in hits:
        each = Found(hit, None, latency)
        spot.found.append(each)
        if known:
            await recognise(channel, BEHIND, each, known)


async def _swept(channel: TcpChannel, order: NetOrder, name: str) -> list[tuple[Hit, float | None]]:
    heard = Sweep()
    last = 0
    count = 0
    asks = searches()[name].asks(order.units)
    searching = sweep(channel, BEHIND, asks, order.thinks_s or LINE_S, heard)
    async for at in searching:
        if len(heard.hits) > count:
            count, last = len(heard.hits), at
        if at - last >= SILENT_LIMIT and not order.every:
            break
    await searching.aclose()
    return [(hit, heard.latency_s.get(key)) for key, hit in heard.hits.items()]


async def _web(screen: Screen, spot: Spot) -> None:
    page = await probing.web_page(spot.host, spot.port)
    if page is None:
        return
    who = maker(page.said)
    spot.words = screen.say("网页", "a web page") + (f": {page.said}" if page.said else "")
    if who is not None:
        spot.note = screen.say.of(who)


def _report(screen: Screen, order: NetOrder, spots: list[Spot], took_s: float, *, interrupted: bool) -> None:
    say = screen.say
    if interrupted:
        screen.note("已中断", "interrupted", "yellow")
    took = lasting(took_s, say)
    if not spots:
        screen.line(
            f"没有地址应答（用时 {took}）。网段对吗？设备与本机在同一网络吗？",
            f"nobody answered ({took}). Is the range right, and this machine in that network?",
            "yellow",
        )
    else:
        heads = (
            say("地址", "address"), say("说什么", "speaks"), say("单元", "unit"), say("应答", "answers in"),
            say("最像", "best fit"), say("符合度", "fit"),
        )  # fmt: skip
        screen.table(heads, [row for spot in spots for row in _rows(screen, spot)])
        for spot in spots:
            if spot.note:
                screen.line(f"{spot.host}:{spot.port}：{spot.note}", f"{spot.host}:{spot.port}: {spot.note}")
            for each in spot.found:
                if each.fits:
                    name, unit = f"{spot.host}:{spot.port}", each.hit.address
                    screen.line(f"{name} 单元 {unit}：", f"{name} unit {unit}:")
                    say_fit(screen, each.fits)
        buses = _buses(spots)
        if buses:
            suggest(screen, buses)
        screen.note(f"用时 {took}", f"took {took}")
    screen.record(
        took_s=round(took_s, 2),
        interrupted=interrupted,
        found=[
            {
                "host": spot.host,
                "port": spot.port,
                "kind": spot.kind,
                "words": spot.words,
                "note": spot.note,
                "devices": [each.as_json(say) for each in spot.found],
            }
            for spot in spots
        ],
    )


def _rows(screen: Screen, spot: Spot) -> list[list[str]]:
    name = f"{spot.host}:{spot.port}"
    if not spot.found:
        return [[name, spot.words, "—", "—", spot.note or "—", "—"]]
    return [[name, spot.words, each.hit.address, *each.cells(screen.say)] for each in spot.found]


def _buses(spots: list[Spot]) -> dict[str, tuple[dict[str, object], list[Found]]]:
    usable = [spot for spot in spots if spot.kind and spot.found]
    return {
        f"net-{number}": (tcp_bus(spot.kind, spot.host, spot.port), spot.found)
        for number, spot in enumerate(usable, start=1)
    }
