"""What an MQTT device makes of a message that it is sent, read back by its own profile. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from drivers.mqtt.mapping import Refused, at_path, document_of, word_of
from drivers.mqtt.product import TopicCommand, TopicMessage, TopicOutput, TopicPulse, format_of
from drivers.profiles.profile import Profile
from simulators.actions import Action, CommandGiven, OutputPulsed, OutputSet

NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)"
TIMES = {"{seconds}": 1.0, "{milliseconds}": 0.001, "{pulse_time}": 0.1}


def topics_of(profile: Profile, prefix: str) -> list[str]:
    """The topics that such a device listens to."""
    return sorted({message.topic.replace("{topic}", prefix) for message in _messages(profile)})


def is_question(profile: Profile, prefix: str, topic: str, payload: bytes) -> bool:
    """Whether somebody asks how the device stands."""
    return any(
        (part.topic.replace("{topic}", prefix), part.payload.encode()) == (topic, payload)
        for part in format_of(profile).asks
    )


def action_of(profile: Profile, prefix: str, topic: str, payload: bytes) -> Action | None:
    """What a message asks for; None if the device does not understand it."""
    for output in profile.outputs.values():
        if isinstance(output, TopicOutput):
            # A pulse may be the command to switch on with something added; one that takes no time is none.
            seconds = None if output.pulse is None else _seconds(output.pulse, prefix, topic, payload)
            if seconds:
                return OutputPulsed(output.id, seconds)
            for on, message in ((True, output.turn_on), (False, output.turn_off)):
                if _said(message, prefix, topic, payload) is not None:
                    return OutputSet(output.id, on)
    for command in profile.commands.values():
        if isinstance(command, TopicCommand):
            said = _said(command.message, prefix, topic, payload)
            if said is not None:
                return _given(command, said)
    return None


def _messages(profile: Profile) -> Iterable[TopicMessage]:
    yield from format_of(profile).asks
    for output in profile.outputs.values():
        if isinstance(output, TopicOutput):
            yield from (output.turn_on, output.turn_off)
            if output.pulse is not None:
                yield output.pulse.message
    for command in profile.commands.values():
        if isinstance(command, TopicCommand):
            yield command.message


def _given(command: TopicCommand, said: str) -> CommandGiven | None:
    if not command.takes_value:
        return CommandGiven(command.id, None)
    if command.enum:
        label = next((label for label, word in command.enum.items() if word == said), None)
        return None if label is None else CommandGiven(command.id, label)
    return CommandGiven(command.id, float(said) * command.scale + command.offset) if _is_number(said) else None


def _is_number(said: str) -> bool:
    return re.fullmatch(NUMBER, said) is not None


def _seconds(pulse: TopicPulse, prefix: str, topic: str, payload: bytes) -> float | None:
    said = _said(pulse.message, prefix, topic, payload)
    if said is None:
        return None
    word = next((word for word in TIMES if word in pulse.message.payload), None)
    if word is None:
        return pulse.max_s
    number = float(said)
    # Tasmota's PulseTime: tenths of a second, from 112 on whole seconds + 100.
    return number - 100 if word == "{pulse_time}" and number > 111 else number * TIMES[word]


def _said(message: TopicMessage, prefix: str, topic: str, payload: bytes) -> str | None:
    """What stands in the place of the message's open word ("" if it has none); None if it is another message."""
    if message.topic.replace("{topic}", prefix) != topic:
        return None
    text: str | None = payload.decode("utf-8", "replace")
    if message.path:
        document = document_of(payload)
        text = None if isinstance(document, Refused) else word_of(at_path(document, message.path))
    open_word = next((word for word in ("{value}", *TIMES) if word in message.payload), None)
    before, _, after = message.payload.partition(open_word) if open_word else (message.payload, "", "")
    middle = NUMBER if open_word in TIMES else "(.*)" if open_word else "()"
    found = None if text is None else re.fullmatch(re.escape(before) + middle + re.escape(after), text, re.DOTALL)
    return None if found is None else found.group(1)
