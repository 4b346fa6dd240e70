"""Files of OSDP door readers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from contract.texts import Text
from drivers.osdp.product import ReaderCommand, ReaderFormat, ReaderOutput
from drivers.profiles.cardforms import AS_BITS
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, profile_of, text
from drivers.profiles.profile import Point, Profile, PushedSource
from drivers.profiles.words import CardFormat, Closed, Head, Seconds, Serial, Word, Words

COLOURS = {
    "black": Text("灭", "off"),
    "red": Text("红", "red"),
    "green": Text("绿", "green"),
    "amber": Text("琥珀", "amber"),
    "blue": Text("蓝", "blue"),
    "magenta": Text("品红", "magenta"),
    "cyan": Text("青", "cyan"),
    "white": Text("白", "white"),
}
"""What a lamp can show (OSDP 2.2, table 20)."""


class Terminal(Closed):
    """An input or output of the reader, by its number (0 is the first)."""

    number: Annotated[int, Field(ge=0, le=63)]
    name: Words


class Keypad(Closed):
    """Its keys. `digits`: the longest PIN; a pause longer than `pause_s` forgets what was typed."""

    digits: Annotated[int, Field(ge=3, le=16)] = 8
    pause_s: Seconds = 5.0


class OsdpFile(Head):
    """A door reader that speaks OSDP. `card`: how its cards' bits are meant.

    `keypad`: absent where it has none. `lamp`, `buzzer`, `display`: whether it has them. Every reader tells by itself
    whether it is tampered with and whether its power fails.
    """

    protocol: Literal["osdp"]
    serial: Serial | None = None
    card: CardFormat = CardFormat(format="w26")
    keypad: Keypad | None = None
    lamp: bool = True
    buzzer: bool = True
    display: bool = False
    inputs: dict[Word, Terminal] = {}
    outputs: dict[Word, Terminal] = {}


OWN = ("tampered", "power_failed", "key_refused")
"""Points that every reader has."""


def faults(file: OsdpFile) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    if file.card.format not in AS_BITS:
        yield Fault(("card", "format"), f"a reader sends bits: {', '.join(sorted(AS_BITS))} are possible")
    for section, terminals in (("inputs", file.inputs), ("outputs", file.outputs)):
        owners: dict[int, str] = {}
        for word, terminal in terminals.items():
            if owners.setdefault(terminal.number, word) != word:
                yield Fault((section, word, "number"), f"{owners[terminal.number]} has this number already")
    for word in file.outputs:
        if word in file.inputs:
            yield Fault(("outputs", word), "an input is called so")
    for word in (*file.inputs, *file.outputs):
        if word in (*OWN, "lamp", "beep", "text"):
            yield Fault(("inputs" if word in file.inputs else "outputs", word), "every reader has a word like this")


def build(file: OsdpFile) -> Profile:
    """The profile of a file without faults."""
    return profile_of(
        file,
        "osdp",
        serial=file.serial,
        points={point.id: point for point in _points(file)},
        outputs={
            word: ReaderOutput(id=word, name=text(part.name), number=part.number) for word, part in file.outputs.items()
        },
        commands={command.id: command for command in _commands(file)},
        card=file.card,
        format=ReaderFormat(
            card=file.card,
            pin_digits=file.keypad.digits if file.keypad else 0,
            pin_s=file.keypad.pause_s if file.keypad else 5.0,
            lamp=file.lamp,
            buzzer=file.buzzer,
            inputs={word: part.number for word, part in file.inputs.items()},
        ),
    )


def _points(file: OsdpFile) -> Iterator[Point]:
    yield _flag("tampered", Text("防拆", "Tampered with"), "alarm")
    yield _flag("power_failed", Text("电源故障", "Power fails"), "alarm")
    yield _flag("key_refused", Text("密钥被拒", "Key refused"), "alarm")
    for section in (file.inputs, file.outputs):
        for word, part in section.items():
            yield _flag(word, text(part.name), "alarm" if section is file.inputs else "normal")


def _flag(word: str, name: Text, group: Literal["alarm", "normal"]) -> Point:
    return Point(id=word, name=name, type="flag", source=PushedSource(name=word), group=group)


def _commands(file: OsdpFile) -> Iterator[ReaderCommand]:
    if file.lamp:
        yield ReaderCommand(id="lamp", name=Text("指示灯", "Lamp"), act="lamp", labels=COLOURS)
    if file.buzzer:
        yield ReaderCommand(id="beep", name=Text("蜂鸣", "Beep"), act="beep")
    if file.display:
        yield ReaderCommand(id="text", name=Text("显示文字", "Show a text"), act="text")


FORM = Form(OsdpFile, faults, build)
