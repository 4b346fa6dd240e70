"""From commands to MQTT messages, and what the device must say before they count as done. Pure.

Whatever the product does not take is refused here, before a byte is sent.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.mqtt.product import TopicCommand, TopicMessage, TopicOutput, TopicPulse
from drivers.profiles.profile import Profile

CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """One message, and the point that confirms it: by one of `expect`, a number within `tolerance`.

    `repeats`: only what the device says after the message proves anything.
    """

    topic: str
    payload: bytes
    point: str
    expect: tuple[str | bool | float, ...]
    tolerance: float
    repeats: bool

    def met_by(self, value: Value) -> bool:
        """Whether this value of the point says that the command was carried out."""
        return any(_alike(value, wanted, self.tolerance) for wanted in self.expect)


def message_of(profile: Profile, topic: str, name: str, value: Value) -> CommandMessage:
    """The message for an output or a command. `topic`: what `{topic}` stands for. Raises `CommandFailed`."""
    output = profile.outputs.get(name)
    if isinstance(output, TopicOutput):
        return _switch(output, topic, value)
    command = profile.commands.get(name)
    if isinstance(command, TopicCommand):
        return _command(command, topic, value)
    raise CommandFailed(f"{profile.id} has nothing to write called {name}", f"{profile.id} 没有可写的点位 {name}")


def pulse_of(profile: Profile, topic: str, name: str, seconds: float) -> CommandMessage:
    """The message for a pulse that the device ends by itself. Raises `CommandFailed`."""
    output = profile.outputs.get(name)
    if not isinstance(output, TopicOutput):
        raise CommandFailed(f"{profile.id} has no output {name}", f"{profile.id} 没有输出 {name}")
    if output.pulse is None:
        raise CommandFailed(f"{name} cannot time a pulse by itself", f"{name} 不支持自行计时的脉冲")
    lasting = _lasting(output.pulse, seconds)
    if lasting is None:
        least, most = output.pulse.min_s, output.pulse.max_s
        reach = f"{most:g} s" if least == most else f"{least:g} to {most:g} s"
        reach_zh = f"{most:g} 秒" if least == most else f"{least:g} 到 {most:g} 秒"
        raise CommandFailed(
            f"{name} times pulses of {reach}, not {seconds:g} s", f"{name} 的脉冲为 {reach_zh}，不能为 {seconds:g} 秒"
        )
    message = output.pulse.message
    said = {
        "{seconds}": f"{lasting:.12g}",
        "{milliseconds}": str(round(lasting * 1000)),
        "{pulse_time}": str(pulse_time(lasting)),
    }
    return CommandMessage(*_filled(message, topic, said), output.id, (True,), 0.0, output.repeats)


def pulse_time(seconds: float) -> int:
    """Seconds as Tasmota's PulseTime (its manual): tenths of a second up to 111, beyond that whole seconds + 100."""
    tenths = math.ceil(seconds * 10 - CLOSE)
    return max(1, tenths) if tenths <= 111 else math.ceil(seconds - CLOSE) + 100


def _lasting(pulse: TopicPulse, seconds: float) -> float | None:
    """How long the device will take it; None if it cannot."""
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    lasting = float(f"{math.ceil(seconds / pulse.step_s - CLOSE) * pulse.step_s:.9g}")
    if not pulse.min_s - CLOSE <= lasting <= pulse.max_s + CLOSE:
        return None
    return lasting


def _switch(output: TopicOutput, topic: str, value: Value) -> CommandMessage:
    if not isinstance(value, bool):
        raise CommandFailed(f"{output.id} is switched with true or false, not {value!r}", f"{output.id} 只能设为开或关")
    message = output.turn_on if value else output.turn_off
    return CommandMessage(*_filled(message, topic, {}), output.id, (value,), 0.0, output.repeats)


def _command(command: TopicCommand, topic: str, value: Value) -> CommandMessage:
    said: dict[str, str] = {}
    expect = command.expect
    if not command.takes_value:
        if value is False:
            raise CommandFailed(f"{command.id} is given or not given, never undone", f"{command.id} 只能下达，不能撤销")
    elif command.enum:
        if not isinstance(value, str) or value not in command.enum:
            raise CommandFailed(
                f"{command.id} takes one of {', '.join(command.enum)}, not {value!r}",
                f"{command.id} 只接受 {'、'.join(command.enum)}",
            )
        said = {"{value}": command.enum[value]}
        expect = expect or (value,)
    else:
        number = _number(command, value)
        said = {"{value}": f"{(number - command.offset) / command.scale:.12g}"}
        expect = expect or (number,)
    return CommandMessage(
        *_filled(command.message, topic, said), command.point, expect, command.tolerance, command.repeats
    )


def _number(command: TopicCommand, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CommandFailed(f"{command.id} takes a number, not {value!r}", f"{command.id} 需要一个数值")
    low, high = command.low, command.high
    if (low is not None and value < low) or (high is not None and value > high):
        reach = f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'} {command.unit}".strip()
        raise CommandFailed(f"{command.id} takes {reach}, not {value:g}", f"{command.id} 的范围是 {reach}")
    return float(value)


def _filled(message: TopicMessage, topic: str, said: dict[str, str]) -> tuple[str, bytes]:
    """Topic and payload with everything in its place."""
    payload = message.payload
    for word, meant in said.items():
        payload = payload.replace(word, meant)
    if message.path:
        document: object = _plain(payload)
        for step in reversed(message.path):
            document = {step: document}
        payload = json.dumps(document, ensure_ascii=False)
    return message.topic.replace("{topic}", topic), payload.encode()


def _plain(payload: str) -> object:
    """Numbers, true and false as JSON has them; any other text as a text."""
    try:
        read = json.loads(payload)
    except ValueError:
        return payload
    return read if isinstance(read, bool | int | float) else payload


def _alike(value: Value, wanted: str | bool | float, tolerance: float) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool) or isinstance(value, str) or isinstance(wanted, str):
        return type(value) is type(wanted) and value == wanted
    return value is not None and abs(value - wanted) <= tolerance + CLOSE * max(1.0, abs(wanted))
