"""`watch`: a wire as it is, frame by frame, without saying anything on it; and what each unit owes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group
from rich.live import Live
from rich.text import Text as Styled

from contract.texts import Text
from drivers.listening import Dissector, Seen, Way
from drivers.tallies import Tallies
from gateway.installer.terminal.screen import Screen, plain
from gateway.installer.terminal.trouble import FAILED
from gateway.installer.terminal.wording import lasting
from gateway.installer.wire.channels import Channel

ARROWS: dict[Way, str] = {"ask": "→", "answer": "←", "odd": "!"}

QUIET_S = 0.05
"""After so long without a byte a frame that is unfinished will not be finished; adapters hand over in portions."""

NOTHING = Text(
    "什么也没听到：线上没有主机在询问？接线、波特率对吗？",
    "nothing was heard: does no master ask on this line? Are wiring and speed right?",
)

STYLES = {"ask": "", "answer": "green", "odd": "red"}


@dataclass(slots=True)
class Bounds:
    """When to end by itself; None: when the person does."""

    seconds: float | None = None
    frames: int | None = None
    counts_only: bool = False
    raw: bool = False


async def heard(channel: Channel, dissector: Dissector) -> AsyncIterator[list[Seen]]:
    """What is heard, as it comes; an empty list about twice a second where nothing is."""
    pending = False
    while True:
        data = await channel.hear(QUIET_S if pending else 0.5)
        if data:
            pending = True
            yield dissector.feed(data, time.time())
        elif pending:
            pending = False
            yield dissector.quiet()
        else:
            yield []


async def show(
    screen: Screen,
    lines: AsyncIterator[list[Seen]],
    tallies: Tallies,
    bounds: Bounds,
    title: str,
    *,
    nothing: Text = NOTHING,
) -> int:
    """Shows until the bounds or Ctrl-C; the exit status: 1 if nothing at all was heard."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    shown = 0
    live = Live(console=screen.out, auto_refresh=False, transient=True) if screen.terminal else None
    if live is not None:
        live.start()
    drawn_at = 0.0
    try:
        async with asyncio.timeout(bounds.seconds), aclosing(lines):  # type: ignore[type-var]
            async for seen in lines:
                for each in seen:
                    shown += 1
                    if screen.as_json:
                        screen.record(**_as_json(each))
                    elif not bounds.counts_only:
                        screen.out.print(Styled(said(each, screen, bounds.raw), style=STYLES[each.way] if live else ""))
                    if bounds.frames is not None and shown >= bounds.frames:
                        break
                if bounds.frames is not None and shown >= bounds.frames:
                    break
                if live is not None and loop.time() - drawn_at > 0.25:
                    drawn_at = loop.time()
                    live.update(_board(screen, tallies, loop.time() - started, title), refresh=True)
    except (TimeoutError, asyncio.CancelledError):
        pass  # the time is over, or the person has seen enough: both are the usual end
    finally:
        if live is not None:
            live.stop()
    _end(screen, tallies, loop.time() - started, nothing)
    return 0 if tallies.bytes else FAILED


def said(each: Seen, screen: Screen, raw: bool) -> str:
    """A frame as a line: time, unit, direction, words, and how long the answer took."""
    at = datetime.fromtimestamp(each.at).strftime("%H:%M:%S.%f")[:-3]
    took = "" if each.latency_s is None else f"  ({lasting(each.latency_s, screen.say)})"
    bytes_ = f"  [{each.raw.hex(' ')}]" if raw else ""
    return f"{at} {each.unit:>4} {ARROWS[each.way]} {each.words}{took}{bytes_}"


def _as_json(each: Seen) -> dict[str, object]:
    latency = None if each.latency_s is None else round(1000 * each.latency_s, 1)
    at = datetime.fromtimestamp(each.at).astimezone().isoformat(timespec="milliseconds")
    return {
        "at": at,
        "way": each.way,
        "unit": each.unit,
        "latency_ms": latency,
        "words": each.words,
        "raw": each.raw.hex(),
    } | each.fields


def _heads(screen: Screen) -> tuple[str, ...]:
    say = screen.say
    return (
        say("地址", "unit"), say("询问", "asked"), say("应答", "answered"), say("无应答", "silent"),
        say("校验错误", "damaged"), say("拒绝", "refused"), say("通常用时", "usual"), say("最长", "worst"),
        say("出错", "errors"),
    )  # fmt: skip


def _rows(screen: Screen, tallies: Tallies) -> list[list[str]]:
    rows = []
    for unit, tally in tallies:
        wrong = tally.silent + tally.damaged
        rows.append(
            [
                unit, *map(str, (tally.asked, tally.answered, tally.silent, tally.damaged, tally.refused)),
                "—" if tally.usual_s is None else lasting(tally.usual_s, screen.say),
                "—" if tally.worst_s is None else lasting(tally.worst_s, screen.say),
                f"{100 * wrong / tally.asked:.1f} %" if tally.asked else "—",
            ]
        )  # fmt: skip
    return rows


def _summary(screen: Screen, tallies: Tallies, passed_s: float) -> str:
    rate = tallies.frames / passed_s if passed_s > 0 else 0.0
    return screen.say(
        f"{tallies.frames} 帧（每秒 {rate:.1f}），{tallies.bytes} 字节，无法识别的数据 {tallies.noise} 次",
        f"{tallies.frames} frames ({rate:.1f}/s), {tallies.bytes} bytes, {tallies.noise} times bytes that are no frame",
    )


def _board(screen: Screen, tallies: Tallies, passed_s: float, title: str) -> Group:
    rows = _rows(screen, tallies)
    return Group(
        Styled(title, style="bold"),
        screen.drawn(_heads(screen), rows),
        Styled(_summary(screen, tallies, passed_s) + screen.say("，Ctrl-C 结束", "; Ctrl-C ends"), style="dim"),
    )


def _end(screen: Screen, tallies: Tallies, passed_s: float, nothing: Text) -> None:
    if screen.as_json:
        units = {
            unit: {
                "asked": tally.asked, "answered": tally.answered, "silent": tally.silent, "damaged": tally.damaged,
                "refused": tally.refused, "unasked": tally.unasked,
                "usual_ms": None if tally.usual_s is None else round(1000 * tally.usual_s, 1),
            }
            for unit, tally in tallies
        }  # fmt: skip
        screen.record(
            summary=True,
            seconds=round(passed_s, 1),
            frames=tallies.frames,
            bytes=tallies.bytes,
            noise=tallies.noise,
            units=units,
        )
        return
    if not tallies.bytes:
        screen.line(nothing.zh, nothing.en, "yellow")
        return
    screen.text("")
    if not screen.terminal:
        for words in plain(_heads(screen), _rows(screen, tallies)):
            screen.text(words)
    else:
        screen.table(_heads(screen), _rows(screen, tallies))
    screen.text(_summary(screen, tallies, passed_s))
    if not tallies.frames:
        screen.line(
            "收到数据但没有一帧完整：波特率或校验多半不对（试 --baud/--parity），或者是别的协议",
            "not one whole frame: speed or parity is most likely wrong (--baud, --parity), or it is another protocol",
            "yellow",
        )
