"""What the library says and takes (dicts of release 3.2), in our own types. Pure.

Sources: `osdp.h` of libosdp 3.2; OSDP 2.2 sections 6.9 to 6.12 (output, lamp, buzzer, text), 7.4 to 7.6 (states).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from drivers.bus import Outcome
from drivers.errors import DriverError

Message = dict[str, Any]
"""What the library takes and tells: its own dictionaries."""

COMMAND_OUTPUT, COMMAND_LED, COMMAND_BUZZER, COMMAND_TEXT, COMMAND_KEYSET, COMMAND_STATUS = 1, 2, 3, 4, 5, 9

CAPABILITIES: Final[Mapping[int, int]] = {COMMAND_OUTPUT: 2, COMMAND_LED: 4, COMMAND_BUZZER: 5, COMMAND_TEXT: 6}
"""What a reader must say that it can, before it is asked for it: a refusal would cost the whole session."""

CAP_INPUTS: Final = 1
CAP_OUTPUTS: Final = 2

Status = Literal["inputs", "outputs", "local"]
STATUSES: Final[tuple[Status, ...]] = ("inputs", "outputs", "local")
"""By the library's number."""

COLOURS: Final[Mapping[str, int]] = {
    "black": 0, "red": 1, "green": 2, "amber": 3, "blue": 4, "magenta": 5, "cyan": 6, "white": 7,
}  # fmt: skip

TICK_S: Final = 0.1
"""Readers count times in these."""

LONGEST_S: Final = 25.5
"""The library passes times in one byte."""


class CannotSay(DriverError):
    """A command that OSDP, or the library, has no words for."""


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card: `length` bits, from the left of `bits`."""

    bits: bytes
    length: int


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """Keys of the reader's pad."""

    keys: bytes


@dataclass(frozen=True, slots=True)
class StatusTold:
    """A report of states. `local`: tamper, power; otherwise one byte an input or output, by number."""

    of: Status
    states: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Commanded:
    """The reader answered a command (`COMMAND_…`)."""

    command: int
    done: bool


@dataclass(frozen=True, slots=True)
class Secured:
    """The secure channel began or ended. `default_key`: with the key that everybody knows."""

    active: bool
    default_key: bool


@dataclass(frozen=True, slots=True)
class Online:
    """The library talks to the reader, or gave it up."""

    online: bool


Told = CardSeen | KeysPressed | StatusTold | Commanded | Secured | Online


def told(event: Message) -> Told | None:
    """What an event of the library says; None for what nobody asked for."""
    match event["event"]:
        case 1:
            return CardSeen(bytes(event["data"]), int(event.get("length", 8 * len(event["data"]))))
        case 2:
            return KeysPressed(bytes(event["data"]))
        case 4:
            of = event["type"]
            return StatusTold(STATUSES[of], tuple(event["report"])) if of < len(STATUSES) else None
        case 5:
            return _notified(event)
    return None


def _notified(event: Message) -> Commanded | Secured | Online | None:
    match event["type"]:
        case 0:
            return Commanded(event["arg0"], bool(event["arg1"]))
        case 1:
            return Secured(bool(event["arg0"]), bool(event["arg1"]))
        case 2:
            return Online(bool(event["arg0"]))
    return None


# --- Commands


def _ticks(seconds: float) -> int:
    if not 0 <= seconds <= LONGEST_S:
        raise CannotSay(f"{seconds:g} s: a reader counts up to {LONGEST_S} s")
    return math.ceil(round(seconds / TICK_S, 6))


def ask(status: Status) -> Message:
    """Asks for a report of states."""
    return {"command": COMMAND_STATUS, "type": STATUSES.index(status)}


def keyset(key: bytes) -> Message:
    """Gives the reader another key; only inside a secure channel."""
    return {"command": COMMAND_KEYSET, "type": 1, "data": key}


def output(number: int, *, on: bool, for_s: float | None = None) -> Message:
    """Sets an output for good, or closes it for so long (rounded up to 0.1 s), timed by the reader. `CannotSay`."""
    code = (2 if on else 1) if for_s is None else 5
    return {"command": COMMAND_OUTPUT, "output_no": number, "control_code": code, "timer_count": _ticks(for_s or 0.0)}


def lamp(colour: str, *, for_s: float | None = None, blink_s: float = 0.0, number: int = 0) -> Message:
    """Lights a lamp for good, or for so long; `blink_s`: on and off for so long in turn. `CannotSay`."""
    if colour not in COLOURS:
        raise CannotSay(f"{colour!r:.20} is no colour; there are {', '.join(COLOURS)}")
    command: Message = {
        "command": COMMAND_LED,
        "reader": 0,
        "led_number": number,
        "temporary": for_s is not None,
        "control_code": 1 if for_s is None else 2,
        "on_color": COLOURS[colour],
        "off_color": COLOURS["black"] if blink_s else COLOURS[colour],
        "on_count": _ticks(blink_s) or 1,
        "off_count": _ticks(blink_s),
    }
    if for_s is not None:
        command["timer_count"] = _ticks(for_s)
    return command


def beep(times: int = 1, *, on_s: float = 0.1, off_s: float = 0.1) -> Message:
    """Sounds the buzzer so often (1 to 20). `CannotSay`."""
    if not 1 <= times <= 20:
        raise CannotSay(f"{times} beeps: 1 to 20 are expected")
    return {
        "command": COMMAND_BUZZER,
        "reader": 0,
        "control_code": 2,
        "on_count": _ticks(on_s),
        "off_count": _ticks(off_s),
        "rep_count": times,
    }


def text(words: str, *, for_s: float = 5.0) -> Message:
    """Shows a text of up to 32 printable ASCII characters for so long. `CannotSay`."""
    if not (words.isascii() and words.isprintable() and 1 <= len(words) <= 32):
        raise CannotSay("a reader shows 1 to 32 printable ASCII characters")
    return {
        "command": COMMAND_TEXT,
        "reader": 0,
        "control_code": 3,
        "temp_time": max(1, round(for_s)),
        "offset_row": 1,
        "offset_col": 1,
        "data": words,
    }


SHOWN_S = 2.0

SHOWN: Mapping[Outcome, tuple[Message, Message]] = {
    "granted": (lamp("green", for_s=SHOWN_S), beep(1, on_s=0.2)),
    "denied": (lamp("red", for_s=SHOWN_S, blink_s=0.2), beep(3)),
}
"""What a reader shows for a decision: its lamp and its buzzer."""
