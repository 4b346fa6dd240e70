"""What the owner of a meter line asks of each protocol: which bytes to send next, and what an answer means. Pure.

A `Station` is one meter. It offers blocks to read; for each read (or write) it gives a `Talk`, the state of one
conversation: the owner sends `ask().frame`, gives every sound frame that it hears to `heard`, and does what the
verdict says. Times, retries and the wire are the owner's, bytes and meanings the talk's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from contract.readings import Value
from contract.texts import Text
from drivers.changes import Changes, Worth
from drivers.installed import Gateway
from drivers.meters.framing import Frames
from drivers.profiles.profile import Profile
from drivers.profiles.words import Group
from drivers.schedule import Readable
from drivers.wiring import Installed


class Ask(NamedTuple):
    """One exchange. `frame`: what is sent; `longest`: bytes of the longest answer, 0 if nobody answers.

    `unanswered`: silence is an answer too, the conversation goes on after it. `secret`: there is a password in the
    frame; what may be its damaged echo is shown to nobody.
    """

    frame: bytes
    longest: int
    unanswered: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Foreign:
    """Not the answer to this question: another meter's, or one to an earlier question (`late`). Goes on waiting."""

    why: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class More:
    """An answer, and the conversation goes on: ask again."""


@dataclass(frozen=True, slots=True)
class Said:
    """The conversation is over. `worths`: what was read, nothing for a write that the meter confirmed."""

    worths: Sequence[Worth] = ()


@dataclass(frozen=True, slots=True)
class Denied:
    """The meter answered that it will not. `why`: in its own words, in both languages."""

    why: Text


Verdict = Foreign | More | Said | Denied


class Talk(Protocol):
    """One conversation with one meter."""

    def ask(self) -> Ask:
        """What to send now."""

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame of this protocol is. Raises `FrameError` if it answers and its content is impossible."""


class Station(Protocol):
    """One meter on a line. `latency_s`: the latest that an answer has been known to come; `guard_s`: silence before
    each request.
    """

    device: str
    periods: Mapping[Group, float]
    latency_s: float
    guard_s: float
    changes: Changes

    def frames(self) -> Frames:
        """A finder of this protocol's frames."""

    def blocks(self) -> Sequence[Readable]:
        """What is read of it, each in one conversation."""

    def read(self, block: Readable) -> Talk:
        """A conversation that reads a block."""

    def again(self, block: Readable, damaged: Talk) -> Talk:
        """A conversation that reads a block once more, after one whose answer was damaged."""

    def parts(self, block: Readable) -> Sequence[Readable]:
        """What to read instead of a block that the meter denies; empty if it cannot be smaller."""

    def denied(self, block: Readable) -> Sequence[Worth]:
        """What a block's points are worth when the meter denies it."""

    def write(self, name: str, value: Value, local: datetime) -> Talk:
        """A conversation that carries out a command. `local`: the site's time of day. Raises `CommandFailed`."""

    def forget(self) -> None:
        """It was lost: what it said before says nothing about what comes back."""


class MeterKind(NamedTuple):
    """The meters of one protocol. `station`: one of them, by its id; raises `WrongInstallation`."""

    station: Callable[[str, Installed, Profile, Gateway], Station]
