"""What an installer wants written, from words to values, and back to words before anything is sent. Pure."""

from __future__ import annotations

import struct
from typing import Any

from config.mistakes import closest
from contract.readings import Value
from contract.speech import Speech
from drivers.modbus.decode import in_order
from drivers.modbus.encode import Write, pulse, write_of
from drivers.modbus.product import Command, Output
from drivers.profiles.profile import Profile
from drivers.profiles.wording import number, unit
from drivers.profiles.words import WIDTHS, Order
from gateway.installer.terminal.trouble import Trouble

FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}

_TRUE = frozenset({"on", "true", "1", "yes", "开", "合", "是"})
_FALSE = frozenset({"off", "false", "0", "no", "关", "分", "否"})

READ_ONLY_KINDS = ("elevator", "lift")
"""Machines that are read and not told anything, unless somebody insists."""


def value_for(profile: Profile, name: str, typed: str | None) -> Value:
    """The value for an output or a command of a product. Raises `Trouble` with what it takes."""
    if name in profile.outputs:
        return _switch(name, typed)
    command = profile.commands.get(name)
    if command is None:
        raise _unknown(profile, name)
    enum = getattr(command, "enum", None) or {}
    if enum:
        return _label(name, command, typed)
    if getattr(command, "value", None) is not None or _needs_nothing(command):
        if typed is not None:
            raise Trouble(f"{name} 不带数值", f"{name} takes no value")
        return None
    if typed is None:
        raise Trouble(f"{name} 需要一个数值{_reach(command)}", f"{name} takes a number{_reach(command)}")
    try:
        return float(typed)
    except ValueError:
        raise Trouble(f"{name} 需要一个数值，写的是 {typed!r}", f"{name} takes a number, not {typed!r}") from None


def _needs_nothing(command: Any) -> bool:
    return getattr(command, "takes_value", True) is False or getattr(command, "act", "") == "clock"


def _switch(name: str, typed: str | None) -> bool:
    word = (typed or "").strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Trouble(
        f"{name} 是输出：on 或 off（或用 --pulse 秒数）", f"{name} is an output: on or off (or --pulse SECONDS)"
    )


def _label(name: str, command: Any, typed: str | None) -> str:
    for label in command.enum:
        words = command.labels.get(label)
        if typed is not None and typed in {label, getattr(words, "zh", None), getattr(words, "en", None)}:
            return str(label)
    listed = ", ".join(command.enum)
    raise Trouble(f"{name} 只接受：{listed}", f"{name} takes one of: {listed}")


def _reach(command: Any) -> str:
    low, high = getattr(command, "low", None), getattr(command, "high", None)
    if low is None and high is None:
        return ""
    ends = f"{'' if low is None else number(low)} … {'' if high is None else number(high)} {unit(command.unit)}".strip()
    return f" ({ends})"


def _unknown(profile: Profile, name: str) -> Trouble:
    listed = ", ".join([*profile.outputs, *profile.commands])
    if name in profile.points:
        return Trouble(
            f"{name} 只能读；可写的有：{listed or '无'}", f"{name} can only be read; to write: {listed or 'nothing'}"
        )
    likely = closest(name, [*profile.outputs, *profile.commands])
    zh, en = (f"；是否想写 {likely}？", f"; did you mean {likely}?") if likely else ("", "")
    return Trouble(
        f"{profile.id} 没有可写的 {name}；可写的有：{listed or '无'}{zh}",
        f"{profile.id} has no {name} to write; there are: {listed or 'nothing'}{en}",
    )


def words_for(profile: Profile, name: str, value: Value, pulse_s: float | None, say: Speech) -> str:
    """What will happen: `启动`, `设定值 = 50 %`, `继电器 1 接通 3 秒`."""
    output = profile.outputs.get(name)
    if output is not None:
        title = say.of(output.name)
        if pulse_s is not None:
            return say(
                f"{title} 接通 {pulse_s:g} 秒（由设备自己计时）", f"{title} on for {pulse_s:g} s, timed by the device"
            )
        return f"{title} {say('接通', 'on') if value else say('断开', 'off')}"
    command: Any = profile.commands[name]
    title = say.of(command.name)
    if value is None:
        return title
    if isinstance(value, str):
        label = command.labels.get(value)
        return f"{title} = {value if label is None else say.of(label)}"
    assert not isinstance(value, bool)
    return f"{title} = {number(value)} {unit(getattr(command, 'unit', ''))}".rstrip()


def modbus_write(profile: Profile, name: str, value: Value, pulse_s: float | None) -> Write | None:
    """The write itself; None for products of other protocols. Raises `CommandFailed`."""
    output = profile.outputs.get(name)
    if isinstance(output, Output) and pulse_s is not None:
        return pulse(output, pulse_s)
    if isinstance(output, Output) or isinstance(profile.commands.get(name), Command):
        return write_of(profile, name, value)
    return None


def frame_words(write: Write, unit: int, say: Speech) -> str:
    """A write as the device sees it."""
    shown = " ".join(f"{word} (0x{word:04X})" for word in write.words)
    if write.fc == 5:
        state = {0xFF00: say("接通", "on"), 0: say("断开", "off")}.get(write.words[0], "")
        shown = f"0x{write.words[0]:04X} {state}".rstrip()
    what = say("线圈", "coil") if write.fc == 5 else say("寄存器", "register")
    return say(
        f"地址 {unit}，功能码 {write.fc:02d}，{what} {write.address} ← {shown}",
        f"unit {unit}, function {write.fc:02d}, {what} {write.address} ← {shown}",
    )


def raw_write(fc: int, address: int, type: str, order: Order, typed: str) -> Write:
    """A write of registers or of a coil as it is. Raises `Trouble`."""
    if fc == 5:
        word = typed.strip().lower()
        coil = 0xFF00 if word in _TRUE else 0 if word in _FALSE else _whole(typed)
        return Write(5, address, (coil & 0xFFFF,), repeat=coil in {0, 0xFF00})
    width = WIDTHS[type]
    if fc == 6 and width != 1:
        raise Trouble(f"{type} 占 {width} 个寄存器，要用 --fc 16", f"{type} takes {width} registers: use --fc 16")
    figure = float(typed) if type in {"f32", "f64"} and _is_float(typed) else _whole(typed)
    try:
        piece = struct.pack(FORMATS[type], figure)
    except (struct.error, OverflowError):
        raise Trouble(f"{typed} 放不进 {type}", f"{typed} does not fit into {type}") from None
    return Write(fc, address, struct.unpack(f">{width}H", in_order(piece, order)))


def _is_float(typed: str) -> bool:
    try:
        float(typed)
    except ValueError:
        return False
    return True


def _whole(typed: str) -> int:
    try:
        return int(typed.strip(), 0)
    except ValueError:
        raise Trouble(f"看不懂数值 {typed!r}", f"cannot read the value {typed!r}") from None
