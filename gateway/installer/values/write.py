"""`write`: says in words what will be sent, asks, sends it through the product's own driver, and reads it back."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

from config import LoadedSite
from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.errors import Silence
from drivers.modbus.encode import Write
from drivers.modbus.wires import AnyModbus
from drivers.profiles.profile import Profile
from drivers.profiles.wording import value_of
from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.installer.terminal.wording import lost
from gateway.installer.values.raw import ask, readback, wire_of, write_registers
from gateway.installer.values.wanted import READ_ONLY_KINDS, frame_words, modbus_write, value_for, words_for
from gateway.installer.wire.driving import driven, reachable
from gateway.installer.wire.sites import At, device_of

WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Consent:
    """`yes`: no question is asked. `really`: also what is dangerous is done."""

    yes: bool
    really: bool


class WantedWrite(NamedTuple):
    """What is wanted: `typed` is the value as it was typed; `pulse_s`: an output on for so long."""

    device: str
    name: str
    typed: str | None
    pulse_s: float | None


async def to_device(screen: Screen, at: At, wanted: WantedWrite, consent: Consent) -> int:
    """Switches an output or gives a command of a device of the site; the exit status."""
    device, name, _, pulse_s = wanted
    installed, profile, bus_id, bus = device_of(at.site, device)
    if pulse_s is not None and name not in profile.outputs:
        outputs = ", ".join(profile.outputs)
        raise Trouble(f"--pulse 只用于输出：{outputs or '无'}", f"--pulse is for outputs: {outputs or 'none'}")
    value = True if pulse_s is not None else value_for(profile, name, wanted.typed)
    try:
        write = modbus_write(profile, name, value, pulse_s)
    except CommandFailed as failed:
        raise Trouble(failed.why.zh, failed.why.en) from failed
    if profile.kind.startswith(READ_ONLY_KINDS) and not consent.really:
        raise Trouble(
            f"{device} 是电梯：默认只读。确实要写请加 --yes-really",
            f"{device} is a lift: it is only read. If you mean it: --yes-really",
        )
    _announce(screen, device, bus_id, words_for(profile, name, value, pulse_s, screen.say))
    if write is not None:
        screen.note(
            "  " + frame_words(write, installed.unit, screen.say), "  " + frame_words(write, installed.unit, screen.say)
        )
    for warning in consequences(at.site, device, name, screen):
        screen.note(warning, warning, "bold yellow")
    confirm(screen, consent)
    await reachable(bus)
    async with driven(bus_id, bus, {device: (installed, profile)}, at.folder) as wire:
        await wire.until_settled(at.within_s)
        if device in wire.lost:
            why = lost(wire.lost[device], screen.say)
            raise Trouble(
                f"{device} 没有应答：{why}；没有写", f"{device} does not answer: {why}; nothing was written", FAILED
            )
        try:
            if pulse_s is not None:
                await wire.bus.pulse(device, name, pulse_s, within_s=at.within_s)
            else:
                await wire.bus.write(device, name, value, within_s=at.within_s)
        except CommandFailed as failed:
            raise Trouble(f"没有成功：{failed.why.zh}", f"failed: {failed.why.en}", FAILED) from failed
    screen.line(f"{device} 已确认", f"{device} has confirmed", "green")
    seen = await _read_back(at, device, name, write, bus)
    return _verdict(screen, profile, wanted, value, seen)


def _announce(screen: Screen, device: str, bus_id: str, words: str) -> None:
    screen.note(f"将对 {device}（{bus_id}）：{words}", f"about to tell {device} ({bus_id}): {words}", "bold")


def consequences(loaded: LoadedSite, device: str, name: str, screen: Screen) -> list[str]:
    """What of the site hangs on an output: doors that open, barriers that lift."""
    say = screen.say
    site = loaded.site
    said = [
        say(
            f"注意：这是门 {id}（{say.of(door.name)}）的锁，门会真的打开",
            f"mind: this is the lock of door {id} ({say.of(door.name)}): it will open",
        )
        for id, door in site.doors.items()
        if (door.lock.device, door.lock.output) == (device, name)
    ]
    for id, lane in site.lanes.items():
        barrier: Any = lane.barrier
        outputs = [getattr(barrier, part, None) for part in ("open", "close")]
        mine = getattr(barrier, "device", None) == device or any(
            (getattr(each, "device", None), getattr(each, "output", None)) == (device, name) for each in outputs
        )
        if mine:
            said.append(say(f"注意：这会动车道 {id} 的道闸", f"mind: this moves the barrier of lane {id}"))
    return said


def confirm(screen: Screen, consent: Consent) -> None:
    """Asks the person, unless that was answered on the command line."""
    if consent.yes or consent.really:
        return
    if not sys.stdin.isatty():
        raise Trouble("没有终端可以确认：加 --yes 才会写", "there is no terminal to ask on: with --yes it is written")
    screen.err.print(screen.say("确定吗？输入 y 或 是：", "Sure? Type y: "), end="")
    if sys.stdin.readline().strip().lower() not in {"y", "yes", "是"}:
        raise Trouble("没有写", "nothing was written", FAILED)


class Unread:
    """Nothing to read back."""


async def _read_back(
    at: At, device: str, name: str, write: Write | None, bus: AnyModbus | Any
) -> Value | Unread | list[int]:
    """The point of the same name, or the registers written; `Unread` where the product shows neither."""
    installed, profile, bus_id, _ = device_of(at.site, device)
    if name in profile.points:
        # A fresh reader: one that goes on reports only what changes.
        async with driven(bus_id, bus, {device: (installed, profile)}, at.folder) as wire:
            await wire.until_read({f"{device}.{name}"}, WAIT_S)
            reading = wire.readings.get(f"{device}.{name}")
            return Unread() if reading is None or reading.quality != "good" else reading.value
    if write is None or write.fc == 5:
        return Unread()
    try:
        async with wire_of(bus, installed.unit) as open_wire:
            return (await ask(open_wire, readback(bus, installed.unit, write))).words()
    except Trouble:
        return Unread()


def _verdict(
    screen: Screen, profile: Profile, wanted: WantedWrite, value: Value, seen: Value | Unread | list[int]
) -> int:
    if isinstance(seen, Unread):
        screen.line("设备不提供回读，请看设备本身", "the device shows no state to read back: look at the device itself")
        screen.record(written=True, value=value, readback=None)
        return 0
    if isinstance(seen, list):
        shown = " ".join(f"{word} (0x{word:04X})" for word in seen)
        screen.line(f"读回寄存器：{shown}", f"registers read back: {shown}")
        screen.record(written=True, value=value, readback=seen)
        return 0
    shown = value_of(profile.points[wanted.name], seen, screen.say)
    screen.record(written=True, value=value, readback=seen)
    if wanted.pulse_s is None and isinstance(value, bool | str) and seen != value:
        screen.line(f"读回 {shown}，与写入的不同", f"read back {shown}, which is not what was written", "red")
        return FAILED
    screen.line(f"读回：{shown}", f"read back: {shown}", "green")
    return 0


async def to_registers(screen: Screen, bus: AnyModbus, unit: int, write: Write, consent: Consent) -> int:
    """Writes registers or a coil as they are; the exit status."""
    name = bus.port if isinstance(bus.port, str) else f"{bus.host}:{bus.port}"
    if unit == 0 and not consent.really:
        raise Trouble(
            "地址 0 是广播：线上所有设备都会执行，且没有应答。确实要写请加 --yes-really",
            "unit 0 is a broadcast: every device on the line obeys and none answers. If you mean it: --yes-really",
        )
    words = frame_words(write, unit, screen.say)
    screen.note(f"将写 {name}：{words}", f"about to write {name}: {words}", "bold")
    confirm(screen, consent)
    if unit == 0:
        return await _broadcast(screen, bus, write)
    seen = await write_registers(bus, unit, write)
    screen.line("设备已确认", "the device has confirmed", "green")
    if seen is None:
        screen.line("设备不提供回读", "the device does not let it be read back")
        screen.record(written=True, readback=None)
        return 0
    got = [int(bit) for bit in seen.values()] if write.fc == 5 else seen.words()
    wanted = [int(write.words[0] != 0)] if write.fc == 5 else list(write.words)
    shown = " ".join(str(word) for word in got)
    screen.record(written=True, readback=got)
    if got != wanted:
        screen.line(
            f"读回 {shown}，与写入的不同（有些设备的写寄存器读出来是别的内容）",
            f"read back {shown}, not what was written (some devices show something else there)",
            "yellow",
        )
        return FAILED
    screen.line(f"读回：{shown}", f"read back: {shown}", "green")
    return 0


async def _broadcast(screen: Screen, bus: AnyModbus, write: Write) -> int:
    async with wire_of(bus, 0) as wire:
        with contextlib.suppress(Silence):
            await wire.write(0, write, 0.1)
    screen.line("已广播（不会有应答）", "broadcast (nobody answers)", "yellow")
    screen.record(written=True, readback=None)
    return 0
