"""From commands to writes. Pure. Whatever the product does not take is refused here, before a byte is sent."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.modbus.decode import in_order
from drivers.modbus.product import Command, Output, Pulse, Readback
from drivers.profiles.profile import Profile
from drivers.profiles.words import WIDTHS

_FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}

ON, OFF = 0xFF00, 0x0000

TOGGLE = "toggle"
"""What an output that its board can turn over is asked for."""


class Write(NamedTuple):
    """One write: function code 5 or 6 with one word, 16 with one or more. `repeat`: a second try does no harm.

    `readback`: what must be read afterwards, else the write has failed. `lasts_s`: a pulse of so long; a second try
    while the first one may still run makes it longer, a later one would be a second pulse.
    """

    fc: int
    address: int
    words: tuple[int, ...]
    repeat: bool = True
    readback: Readback | None = None
    lasts_s: float | None = None


def write_of(profile: Profile, name: str, value: Value) -> Write:
    """The write for an output or a command of a product. Raises `CommandFailed` in plain words."""
    output = profile.outputs.get(name)
    if isinstance(output, Output):
        return switch(output, value)
    command = profile.commands.get(name)
    if isinstance(command, Command):
        return command_write(command, value)
    raise CommandFailed(f"{profile.id} has nothing to write called {name}", f"{profile.id} 没有可写的点位 {name}")


def switch(output: Output, value: Value) -> Write:
    """An output on or off, or turned over by the board itself: a toggle is never sent twice."""
    if value == TOGGLE and output.toggle is not None:
        return Write(output.fc, output.address, (output.toggle,), repeat=False)
    if not isinstance(value, bool):
        raise CommandFailed(f"{output.id} is switched with true or false, not {value!r}", f"{output.id} 只能设为开或关")
    return Write(output.fc, output.address, (output.on if value else output.off,), readback=_readback(output, value))


def pulse(output: Output, seconds: float) -> Write:
    """An output on for `seconds`, timed by the board: rounded up to its steps."""
    timer = output.pulse
    if timer is None:
        raise CommandFailed(f"{output.id} cannot time a pulse by itself", f"{output.id} 不支持自行计时的脉冲")
    steps = max(1, math.ceil(seconds / timer.step_s - 1e-6)) if math.isfinite(seconds) and seconds > 0 else 0
    if not 1 <= steps <= timer.max:
        raise CommandFailed(
            f"{output.id} takes pulses of up to {timer.max * timer.step_s:g} s, not {seconds:g} s",
            f"{output.id} 的脉冲最长 {timer.max * timer.step_s:g} 秒，不能为 {seconds:g} 秒",
        )
    readback = _readback(output, True)
    return Write(timer.fc, timer.address, (_word(timer, steps),), readback=readback, lasts_s=steps * timer.step_s)


def _readback(output: Output, on: bool) -> Readback | None:
    if not output.verify or output.read_fc is None:
        return None
    return Readback(
        fc=output.read_fc,
        address=output.address,
        expect=output.read_on if on else 0,
        settle_s=output.settle_s,
    )


def _word(timer: Pulse, steps: int) -> int:
    return (timer.plus + steps) & 0xFFFF


def command_write(command: Command, value: Value) -> Write:
    """The write that carries out a command."""
    if command.value is not None:
        if value is False:
            raise CommandFailed(f"{command.id} is given or not given, never undone", f"{command.id} 只能下达，不能撤销")
        words = _words(command, command.value)
    elif command.enum:
        if not isinstance(value, str) or value not in command.enum:
            raise CommandFailed(
                f"{command.id} takes one of {', '.join(command.enum)}, not {value!r}",
                f"{command.id} 只接受 {'、'.join(command.enum)}",
            )
        words = _words(command, command.enum[value])
    else:
        words = _words(command, _raw(command, value))
    return Write(command.fc, command.address, words, command.repeat, command.verify)


def _raw(command: Command, value: Value) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CommandFailed(f"{command.id} takes a number, not {value!r}", f"{command.id} 需要一个数值")
    low, high = command.low, command.high
    if (low is not None and value < low) or (high is not None and value > high):
        reach = f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'} {command.unit}".strip()
        raise CommandFailed(f"{command.id} takes {reach}, not {value:g}", f"{command.id} 的范围是 {reach}")
    number = (value - command.offset) / command.scale
    return number if command.type in {"f32", "f64"} else round(number)


def _words(command: Command, number: float | int) -> tuple[int, ...]:
    if command.fc == 5:
        return (int(number),)
    try:
        piece = struct.pack(_FORMATS[command.type], number)
    except (struct.error, OverflowError) as wrong:
        raise CommandFailed(
            f"{command.id} cannot hold {number:g} in {command.type}", f"{command.id} 无法容纳数值 {number:g}"
        ) from wrong
    return struct.unpack(f">{WIDTHS[command.type]}H", in_order(piece, command.order))
