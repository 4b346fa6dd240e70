"""`scan --port`: who is on a serial line, at which settings, and which products they are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from drivers.searching import Ask, Setting, distinct, searches
from gateway.installer.scan.found import Found
from gateway.installer.scan.identifying import profiles, recognise
from gateway.installer.scan.results import say_fit, suggest
from gateway.installer.scan.searching import Sweep, lasts_s, sweep
from gateway.installer.scan.sitelines import serial_bus
from gateway.installer.scan.sweeps import USUAL_S, patience
from gateway.installer.terminal.screen import Doing, Screen
from gateway.installer.terminal.trouble import FAILED, INTERRUPTED
from gateway.installer.terminal.wording import lasting, line
from gateway.installer.wire.channels import SerialChannel
from gateway.installer.wire.ports import open_port, others

NARROWED = 12
"""So many times a crowd is asked apart: a hundred questions each."""


@dataclass(slots=True)
class Order:
    """What a person asked to be searched."""

    port: str
    settings: list[Setting]
    units: list[int]
    protocols: list[str]
    thinks_s: float | None
    every: bool
    fit: bool


@dataclass(slots=True)
class Plans:
    """What is asked at each setting. `thinks_s`: how long each unit is waited for."""

    asks: dict[Setting, list[Ask]]
    thinks_s: float

    @property
    def lasts_s(self) -> float:
        """How long it takes if nobody answers."""
        return sum(lasts_s(ask, setting, self.thinks_s) for setting, asks in self.asks.items() for ask in asks)


async def scan(screen: Screen, order: Order) -> int:
    """Searches the line; the exit status."""
    open_port(order.port, *order.settings[0]).close()
    warning = others(order.port, screen.say)
    if warning:
        screen.warn(warning, warning)
    asks = {setting: _asks(order, setting) for setting in order.settings}
    count = sum(map(len, asks.values()))
    plans = Plans(asks, patience(count, order.thinks_s))
    _announce(screen, order, plans.lasts_s)
    found: list[Found] = []
    started = asyncio.get_running_loop().time()
    status = None
    try:
        with screen.doing(count) as step:
            await _search(screen, order, plans, found, step)
    except asyncio.CancelledError:
        status = INTERRUPTED
    took_s = asyncio.get_running_loop().time() - started
    _report(screen, order, found, took_s, interrupted=status is not None)
    return status if status is not None else (0 if found else FAILED)


def _asks(order: Order, setting: Setting) -> list[Ask]:
    chosen = [searches()[name] for name in order.protocols]
    return [
        ask for each in chosen if (each.usual(setting) or len(order.settings) == 1) for ask in each.asks(order.units)
    ]


def _announce(screen: Screen, order: Order, total_s: float) -> None:
    say = screen.say
    titles = say.listed([say.of(searches()[name].title) for name in order.protocols])
    kinds = len(order.settings)
    how = line(*order.settings[0]) if kinds == 1 else say(f"{kinds} 种串口参数", f"{kinds} settings")
    took = lasting(total_s, say)
    stop = "" if order.every or kinds == 1 else say("，找到即停", "; it stops at the first that answers")
    screen.note(
        f"扫描 {order.port}（{how}），地址 {_spanned(order.units)}，协议 {titles}：最长约 {took}{stop}",
        f"scanning {order.port} ({how}), addresses {_spanned(order.units)}, {titles}: {took} at most{stop}",
        "",
    )


def _spanned(units: list[int]) -> str:
    if len(units) > 3 and units == list(range(units[0], units[-1] + 1)):
        return f"{units[0]}–{units[-1]}"
    return ", ".join(map(str, units[:8])) + (" …" if len(units) > 8 else "")


async def _search(screen: Screen, order: Order, plans: Plans, found: list[Found], step: Doing) -> None:
    done = 0
    for setting, asks in plans.asks.items():
        channel = SerialChannel(order.port, *setting)
        try:
            heard = Sweep()
            first = Round(asks, plans.thinks_s, step, done)
            await _sweep(screen, channel, setting, heard, first)
            done += len(asks)
            await _narrow(screen, channel, setting, heard, first)
            mine = [
                Found(hit, setting, heard.latency_s.get((hit.protocol, hit.address)))
                for hit in distinct(heard.hits.values())
            ]
            found += mine
            _odd(screen, setting, heard)
            if order.fit and mine:
                await _recognise(screen, channel, setting, mine, step)
        finally:
            channel.close()
        if found and not order.every:
            return


class Round(NamedTuple):
    """Questions of one sweep, and how far the whole search was before."""

    asks: list[Ask]
    thinks_s: float
    step: Doing
    done: int


async def _sweep(screen: Screen, channel: SerialChannel, setting: Setting, heard: Sweep, round: Round) -> None:
    known = len(heard.hits)
    async for at in sweep(channel, setting, round.asks, round.thinks_s, heard):
        ask = round.asks[at - 1]
        round.step.now(f"{line(*setting)} {ask.protocol} {ask.address}", round.done + at)
        for key in list(heard.hits)[known:]:
            _tell(screen, Found(heard.hits[key], setting, heard.latency_s.get(key)))
        known = len(heard.hits)


async def _narrow(screen: Screen, channel: SerialChannel, setting: Setting, heard: Sweep, before: Round) -> None:
    """Whoever answered for everybody is asked apart: digit by digit, or address by address."""
    for _ in range(NARROWED):
        first = next((ask for ask in heard.crowded if ask.narrower is not None), None)
        if first is None or first.narrower is None:
            return
        asks = first.narrower()
        # The other wildcards of the protocol met the same crowd.
        heard.crowded = [
            ask for ask in heard.crowded if ask.protocol != first.protocol or (first.named != ask.named and ask.named)
        ]
        if not asks:
            continue
        time = lasting(sum(lasts_s(ask, setting, USUAL_S) for ask in asks), screen.say)
        screen.note(
            f"{line(*setting)}：有 {first.protocol} 设备应答了通用地址，改为分开询问（约 {time}）",
            f"{line(*setting)}: {first.protocol} devices answer the address of everybody; asked apart (about {time})",
        )
        before.step.total(len(asks))
        await _sweep(screen, channel, setting, heard, Round(asks, USUAL_S, before.step, 0))


def _tell(screen: Screen, each: Found) -> None:
    how = "" if each.setting is None else line(*each.setting)
    late = "" if each.latency_s is None else f" ({lasting(each.latency_s, screen.say)})"
    screen.note(
        f"找到 {each.hit.protocol} 地址 {each.hit.address}，{how}{late}",
        f"found {each.hit.protocol} address {each.hit.address} at {how}{late}",
        "green",
    )


def _odd(screen: Screen, setting: Setting, heard: Sweep) -> None:
    if heard.unread and not heard.hits:
        sample = heard.sample.hex(" ")
        screen.warn(
            f"{line(*setting)}：有应答但读不懂 {heard.unread} 次（{sample}）："
            "线上有设备，多半是波特率或校验不同，或两台同址",
            f"{line(*setting)}: something answered {heard.unread} times and cannot be read ({sample}): "
            "there is a device, most likely with another speed or parity, or two with one address",
        )
    elif heard.unread:
        screen.warn(
            f"{line(*setting)}：另有 {heard.unread} 次收到校验错误的报文（干扰、终端电阻或两台同址？）",
            f"{line(*setting)}: {heard.unread} damaged answers too (noise, termination, or two with one address?)",
        )
    if heard.echo:
        screen.note("转换器会回显自己发出的数据，已忽略", "the adapter hears what it sends itself; that is ignored")


async def _recognise(
    screen: Screen, channel: SerialChannel, setting: Setting, mine: list[Found], step: Doing
) -> None:  # fmt: skip
    known, wrong = profiles()
    if wrong:
        screen.warn(
            f"产品型号文件有误，未比较：{'、'.join(wrong)}",
            f"not compared, as the files have mistakes: {', '.join(wrong)}",
        )
    for each in mine:
        step.now(screen.say(f"辨认地址 {each.hit.address}", f"recognising address {each.hit.address}"))
        await recognise(channel, setting, each, known)


def _report(screen: Screen, order: Order, found: list[Found], took_s: float, *, interrupted: bool) -> None:
    say = screen.say
    took = lasting(took_s, say)
    if interrupted:
        screen.note("已中断", "interrupted", "yellow")
    if not found:
        screen.line(
            f"没有设备应答（用时 {took}）。请检查 A/B 线是否接反、供电、终端电阻，并用 --baud/--parity 指定参数",
            f"nobody answered ({took}). Check that A and B are not swapped, the power, the termination; "
            "name settings with --baud and --parity",
            "yellow",
        )
    else:
        heads = (
            say("协议", "protocol"), say("地址", "address"), say("串口参数", "line"), say("应答", "answers in"),
            say("最像", "best fit"), say("符合度", "fit"),
        )  # fmt: skip
        screen.table(
            heads,
            [
                [each.hit.protocol, each.hit.address, line(*(each.setting or Setting(9600))), *each.cells(say)]
                for each in found
            ],
        )  # fmt: skip
        for each in found:
            if each.fits:
                screen.line(f"地址 {each.hit.address}：", f"address {each.hit.address}:")
                say_fit(screen, each.fits)
        suggest(screen, _buses(order, found))
        screen.note(f"用时 {took}", f"took {took}")
    screen.record(
        port=order.port,
        took_s=round(took_s, 2),
        interrupted=interrupted,
        found=[each.as_json(say) for each in found],
    )


def _buses(order: Order, found: list[Found]) -> dict[str, tuple[dict[str, object], list[Found]]]:
    """One bus for each setting and kind of wire."""
    wires: dict[tuple[Setting | None, str], list[Found]] = {}
    for each in found:
        wires.setdefault((each.setting, searches()[each.hit.protocol].serial), []).append(each)
    return {
        f"line-{number}": (serial_bus(kind, order.port, setting or Setting(9600)), mine)
        for number, ((setting, kind), mine) in enumerate(wires.items(), start=1)
    }
