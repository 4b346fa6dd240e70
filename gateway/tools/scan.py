"""`scan --port`: who is on a serial line, at which settings, and which products they are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.tools.asks import PROTOCOLS, Ask, Hit
from gateway.tools.channels import SerialChannel
from gateway.tools.examining import LineAsker, examine, profiles
from gateway.tools.fitting import LIKELY, Fit
from gateway.tools.ports import check_exists, others
from gateway.tools.screen import Screen, Step
from gateway.tools.searching import Sweep, lasts_s, sweep
from gateway.tools.sitelines import Place, lines, serial_bus
from gateway.tools.sweeps import Setting, patience
from gateway.tools.trouble import FAILED, INTERRUPTED
from gateway.tools.verdicts import as_json, fit_rows, say_fit
from gateway.tools.wording import lasting, line


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


@dataclass(slots=True)
class Found:
    """Somebody on the line."""

    hit: Hit
    setting: Setting
    latency_s: float | None
    fits: list[Fit] = field(default_factory=list)


async def scan(screen: Screen, order: Order) -> int:
    """Searches the line; the exit status."""
    check_exists(order.port)
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
    chosen = [PROTOCOLS[name] for name in order.protocols]
    return [ask for each in chosen if each.fits(setting) for ask in each.asks(order.units)]


def _announce(screen: Screen, order: Order, total_s: float) -> None:
    say = screen.say
    titles = say.listed([say.of(PROTOCOLS[name].title) for name in order.protocols])
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


async def _search(screen: Screen, order: Order, plans: Plans, found: list[Found], step: Step) -> None:
    done = 0
    for setting, asks in plans.asks.items():
        if not asks:
            continue
        channel = SerialChannel(order.port, *setting)
        try:
            heard = Sweep()
            known = 0
            async for at in sweep(channel, setting, asks, plans.thinks_s, heard):
                address = asks[at - 1].address
                step.now(f"{line(*setting)} {asks[at - 1].protocol} {address}", done + at)
                if len(heard.hits) > known:
                    for key in list(heard.hits)[known:]:
                        _tell(screen, Found(heard.hits[key], setting, heard.latency_s.get(key)))
                    known = len(heard.hits)
            done += len(asks)
            mine = [Found(hit, setting, heard.latency_s.get(key)) for key, hit in heard.hits.items()]
            _odd(screen, setting, heard)
            found += mine
            if order.fit:
                await _fit(channel, setting, mine, screen, step)
        finally:
            channel.close()
        if found and not order.every:
            return


def _tell(screen: Screen, each: Found) -> None:
    late = "" if each.latency_s is None else f" ({lasting(each.latency_s, screen.say)})"
    screen.note(
        f"找到 {each.hit.protocol} 地址 {each.hit.address}，{line(*each.setting)}{late}",
        f"found {each.hit.protocol} address {each.hit.address} at {line(*each.setting)}{late}",
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
            f"{line(*setting)}：另有 {heard.unread} 次收到坏帧（干扰、终端电阻或两台同址？）",
            f"{line(*setting)}: {heard.unread} damaged answers too (noise, termination, or two with one address?)",
        )
    if heard.echo:
        screen.note("转换器会回显自己发出的数据，已忽略", "the adapter hears what it sends itself; that is ignored")


async def _fit(channel: SerialChannel, setting: Setting, mine: list[Found], screen: Screen, step: Step) -> None:
    units = [each for each in mine if each.hit.protocol == "modbus"]
    if not units:
        return
    known, wrong = profiles()
    if wrong:
        screen.warn(
            f"产品配置有误，未比较：{'、'.join(wrong)}", f"not compared, as the files have mistakes: {', '.join(wrong)}"
        )
    for each in units:
        step.now(screen.say(f"辨认地址 {each.hit.address}", f"recognising address {each.hit.address}"))
        thinks_s = max(0.15, 3 * (each.latency_s or 0.1))
        each.fits, _ = await examine(LineAsker(channel, setting, thinks_s), int(each.hit.address), known, setting)


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
            say("协议", "protocol"),
            say("地址", "address"),
            say("串口参数", "line"),
            say("应答", "answers in"),
            say("最像", "best fit"),
            say("符合度", "fit"),
        )
        rows = [
            [
                each.hit.protocol,
                each.hit.address,
                line(*each.setting),
                "—" if each.latency_s is None else lasting(each.latency_s, say),
                *fit_rows(each.fits, say),
            ]
            for each in found
        ]
        screen.table(heads, rows)
        for each in found:
            if each.fits:
                screen.line(f"地址 {each.hit.address}：", f"address {each.hit.address}:")
                say_fit(screen, each.fits)
        _suggest(screen, order, found)
        screen.note(f"用时 {took}", f"took {took}")
    screen.record(
        port=order.port,
        took_s=round(took_s, 2),
        interrupted=interrupted,
        found=[
            {
                "protocol": each.hit.protocol,
                "address": each.hit.address,
                "baud": each.setting.baud,
                "parity": each.setting.parity,
                "stop_bits": each.setting.stop_bits,
                "latency_ms": None if each.latency_s is None else round(1000 * each.latency_s, 1),
                "says": say.of(each.hit.says),
                "fits": as_json(each.fits),
            }
            for each in found
        ],
    )


def _suggest(screen: Screen, order: Order, found: list[Found]) -> None:
    screen.line("站点文件可以这样写：", "for the site file:", "bold")
    for setting in dict.fromkeys(each.setting for each in found):
        for protocol in dict.fromkeys(each.hit.protocol for each in found if each.setting == setting):
            mine = [each for each in found if (each.setting, each.hit.protocol) == (setting, protocol)]
            places = [_place(each) for each in mine]
            bus = serial_bus(PROTOCOLS[protocol].bus_kind, order.port, setting)
            for words in lines("line-1", bus, places):
                screen.text("  " + words)


def _place(each: Found) -> Place:
    best = each.fits[0] if each.fits and each.fits[0].score >= LIKELY else None
    address = (
        {"unit": int(each.hit.address)} if each.hit.protocol in {"modbus", "osdp"} else {"address": each.hit.address}
    )
    return Place(best.profile.id if best else None, best.profile.kind if best else "device", address)
