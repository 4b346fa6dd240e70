"""`watch --gateway`: how each wire of a running gateway does, and with `--bus` what is said there; it is asked."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable
from datetime import datetime
from typing import Any, TypeAlias

import httpx
from rich.console import Group
from rich.live import Live
from rich.text import Text as Styled

from contract.texts import Text
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.watch.frames import Bounds, show
from gateway.installer.watch.through import MayNotSee, Through, refused

EVERY_S = 1.0
NOTHING_YET = Text(
    "这段时间线路上没有往来：网关按各设备的 poll_s 询问，表计常隔几分钟",
    "nothing was said meanwhile: the gateway asks each device at its poll_s, meters often minutes apart",
)
PASSWORD_VARIABLE = "GATEHOUSE_PASSWORD"
COUNTERS = ("exchanges", "timeouts", "late", "refused", "overruns", "reconnects")

Wire: TypeAlias = dict[str, Any]
"""A wire as the gateway's own interface tells of it."""


async def watch(screen: Screen, url: str, username: str, bounds: Bounds, bus: str | None = None) -> int:
    """The exit status. `bus`: the one wire whose frames are shown, None: what is counted on all, once a second."""
    password = _password(screen, username)
    url = url if "://" in url else f"http://{url}"
    language = {"Accept-Language": screen.say.language}
    async with httpx.AsyncClient(base_url=url, timeout=5.0, headers=language) as client:
        await _sign_in(client, url, username, password)
        if bus is None:
            return await _counters(screen, client, url, bounds, None)
        _wanted(await _wires(client, url), bus)
        through = Through(client, bus, screen)
        title = screen.say(f"网关 {url} 的线路 {bus}", f"line {bus} of the gateway at {url}")
        screen.note(title, title)
        try:
            return await show(screen, through.lines(), through.tallies, bounds, title, nothing=NOTHING_YET)
        except MayNotSee:
            screen.warn(
                "这个账号不能看线路上的内容（要维修、安装调试、经理或管理员），只显示计数",
                "this account may not see what is said on the line, only what is counted (maintenance, installers,"
                " managers and administrators may)",
            )
            return await _counters(screen, client, url, bounds, bus)


async def _counters(screen: Screen, client: httpx.AsyncClient, url: str, bounds: Bounds, bus: str | None) -> int:
    live = Live(console=screen.out, auto_refresh=False, transient=True) if screen.terminal else None
    if live is not None:
        live.start()
    last: dict[str, Wire] = {}
    try:
        async with asyncio.timeout(bounds.seconds):
            turns = 0
            while True:
                items = _wanted(await _wires(client, url), bus)
                _show(screen, live, items, last)
                last = {item["id"]: item for item in items}
                turns += 1
                if bounds.frames is not None and turns >= bounds.frames:
                    return 0
                await asyncio.sleep(EVERY_S)
    except (TimeoutError, asyncio.CancelledError):
        return 0
    finally:
        if live is not None:
            live.stop()


def _password(screen: Screen, username: str) -> str:
    if not username:
        raise Trouble("要给出 --username", "name an account with --username")
    known = os.environ.get(PASSWORD_VARIABLE)
    if known is not None:
        return known
    if not sys.stdin.isatty():
        raise Trouble(
            f"没有终端可以输入密码：用环境变量 {PASSWORD_VARIABLE}",
            f"no terminal to type the password on: set {PASSWORD_VARIABLE}",
        )
    return getpass.getpass(screen.say(f"{username} 的密码：", f"password of {username}: "))


async def _sign_in(client: httpx.AsyncClient, url: str, username: str, password: str) -> None:
    answer = await _asked(client.post("/api/session", json={"username": username, "password": password}), url)
    if answer.status_code != 200:
        why = refused(answer)
        raise Trouble(f"网关不接受这个账号：{why}", f"the gateway does not take this account: {why}", FAILED)
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"


async def _wires(client: httpx.AsyncClient, url: str) -> list[Wire]:
    answer = await _asked(client.get("/api/wires"), url)
    if answer.status_code != 200:
        raise Trouble(
            f"网关不给看线路（{answer.status_code}）",
            f"the gateway does not show its lines ({answer.status_code})",
            FAILED,
        )
    items: list[Wire] = answer.json()["items"]
    return items


def _wanted(items: list[Wire], bus: str | None) -> list[Wire]:
    if bus is None:
        return items
    found = [item for item in items if item["id"] == bus]
    if not found:
        known = "、".join(item["id"] for item in items), ", ".join(item["id"] for item in items)
        raise Trouble(
            f"网关没有线路 {bus}；有的是：{known[0]}", f"the gateway has no line {bus}; it has: {known[1]}", FAILED
        )
    return found


async def _asked(asking: Awaitable[httpx.Response], url: str) -> httpx.Response:
    try:
        answer: httpx.Response = await asking
    except httpx.HTTPError as wrong:
        raise Trouble(
            f"连不上网关 {url}：{wrong}", f"the gateway at {url} cannot be reached: {wrong}", FAILED
        ) from wrong
    return answer


def _show(screen: Screen, live: Live | None, items: list[Wire], last: dict[str, Wire]) -> None:
    say = screen.say
    if screen.as_json:
        screen.record(at=datetime.now().astimezone().isoformat(timespec="milliseconds"), wires=items)
        return
    heads = (
        say("线路", "line"), say("种类", "kind"), "", say("每秒", "per s"), say("请求", "requests"),
        say("无应答", "silent"), say("超时后应答", "late"), say("校验错误", "damaged"), say("漏采", "missed"),
        say("重连", "reconnects"), say("失联", "away"),
    )  # fmt: skip
    rows = [_row(screen, item, last.get(item["id"])) for item in items]
    if live is not None:
        live.update(
            Group(screen.drawn(heads, rows), Styled(say("Ctrl-C 结束", "Ctrl-C ends"), style="dim")), refresh=True
        )
    else:
        screen.table(heads, rows)
        screen.text("")


def _row(screen: Screen, item: Wire, before: Wire | None) -> list[str]:
    rate = "—" if before is None else f"{(item['exchanges'] - before['exchanges']) / EVERY_S:.0f}"
    return [
        item["id"],
        item["kind"],
        "✓" if item["connected"] else "✗",
        rate,
        *(str(item[name]) for name in COUNTERS),
        screen.say.listed(item["silent"]),
    ]
