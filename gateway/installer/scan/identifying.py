"""Asks one Modbus unit what tells products apart, and ranks the profiles by what it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from drivers.errors import FrameError
from drivers.modbus.frames import TcpFrames, body_size, read_pdu, rtu, tcp
from drivers.modbus.search import modbus_answers
from drivers.profiles.files import FOLDER, ProfileErrors
from drivers.profiles.files import read as read_profile
from drivers.profiles.profile import Profile
from drivers.searching import Apart, Setting, matching, searches, without_echo
from gateway.installer.scan.found import Found
from gateway.installer.scan.ranking import MOST_READS, Answer, Fit, Read, judge, questions, rank
from gateway.installer.scan.sweeps import silence_s
from gateway.installer.wire.channels import Channel

HOPELESS_BITS = -6.0
"""A product against which so much speaks is not asked for any more."""

SILENT_LIMIT = 3
"""So many silences with one function code: the unit does not know it."""


class Asker(Protocol):
    """A way to one line's units."""

    async def ask(self, unit: int, read: Read) -> Answer:
        """Registers (or packed bits), the code of a refusal, or None for silence."""


class LineAsker:
    """Modbus RTU over any channel. `thinks_s`: how long a unit may take before it answers."""

    def __init__(self, channel: Channel, setting: Setting, thinks_s: float) -> None:
        self._channel = channel
        self._setting = setting
        self._thinks_s = thinks_s

    async def ask(self, unit: int, read: Read) -> Answer:
        """Registers (or packed bits), the code of a refusal, or None for silence."""
        loop = asyncio.get_running_loop()
        request = rtu(unit, read_pdu(*read))
        size = body_size(read.fc, read.size)
        self._channel.clear()
        self._channel.send(request)
        waits = silence_s(self._setting, len(request), self._thinks_s) + (size + 5) * self._setting.character_s
        until = loop.time() + waits
        data = b""
        while (left := until - loop.time()) > 0 and (more := await self._channel.hear(left)):
            data += more
            for frame in modbus_answers(without_echo(data, request)):
                if frame[0] != unit:
                    continue
                if frame[1] == read.fc | 0x80:
                    await asyncio.sleep(self._setting.gap_s)
                    return frame[2]
                if frame[1] == read.fc and len(frame) == size + 5:
                    await asyncio.sleep(self._setting.gap_s)
                    return frame[3:-2]
        # A late answer to this must not be taken for one to the next question.
        await asyncio.sleep(self._thinks_s)
        return None


class TcpAsker:
    """Modbus TCP over any channel."""

    def __init__(self, channel: Channel, within_s: float) -> None:
        self._channel = channel
        self._within_s = within_s
        self._transaction = 0
        self._frames = TcpFrames()

    async def ask(self, unit: int, read: Read) -> Answer:
        """Registers (or packed bits), the code of a refusal, or None for silence. Raises `FrameError`: no Modbus."""
        loop = asyncio.get_running_loop()
        self._transaction = self._transaction % 0xFFFF + 1
        self._channel.send(tcp(self._transaction, unit, read_pdu(*read)))
        until = loop.time() + self._within_s
        while (left := until - loop.time()) > 0 and (more := await self._channel.hear(left)):
            for frame in self._frames.feed(more):
                if (frame.transaction, frame.unit) != (self._transaction, unit):
                    continue
                pdu = frame.pdu
                if len(pdu) == 2 and pdu[0] == read.fc | 0x80:
                    return pdu[1]
                size = body_size(read.fc, read.size)
                if pdu[0] == read.fc and len(pdu) == size + 2:
                    return pdu[2:]
        return None


def profiles() -> tuple[list[Profile], list[str]]:
    """Every product that is known, and the files that cannot be read."""
    found, wrong = [], []
    for path in sorted(FOLDER.glob("*/*.yaml")):
        try:
            found.append(read_profile(path))
        except (ProfileErrors, OSError):
            wrong.append(path.name)
    return found, wrong


async def examine(asker: Asker, unit: int, known: Sequence[Profile], setting: Setting | None) -> tuple[list[Fit], int]:
    """The products that fit, best first, and how many questions that took. `setting`: the line's, where it is one."""
    known = [profile for profile in known if profile.protocol == "modbus"]
    answers: dict[Read, Answer] = {}
    silences: Counter[int] = Counter()
    spoke: set[int] = set()
    asked = 0
    for turn in range(MOST_READS):
        for profile in known:
            wanted = questions(profile)
            if turn >= len(wanted) or judge(profile, answers).bits < HOPELESS_BITS:
                continue
            read = wanted[turn]
            if read in answers:
                continue
            inside = _inside(read, answers)
            if inside is not None:
                answers[read] = inside
                continue
            if silences[read.fc] >= SILENT_LIMIT and read.fc not in spoke:
                answers[read] = None
                continue
            asked += 1
            answer = answers[read] = await _asked(asker, unit, read)
            if answer is None:
                silences[read.fc] += 1
            else:
                spoke.add(read.fc)
    return rank(judge(profile, answers, _as_delivered(profile, unit, setting)) for profile in known), asked


async def recognise(channel: Channel, setting: Setting, each: Found, known: Sequence[Profile]) -> None:
    """Finds out which product somebody on a line is."""
    if each.hit.protocol == "modbus":
        thinks_s = max(0.15, 3 * (each.latency_s or 0.1))
        each.fits, _ = await examine(LineAsker(channel, setting, thinks_s), int(each.hit.address), known, setting)
        return
    each.products = matching(each.hit, known)
    question = searches()[each.hit.protocol].apart(each.hit, each.products)
    if question is not None:
        each.products = await _apart(channel, setting, question)


async def _apart(channel: Channel, setting: Setting, question: Apart) -> list[Profile]:
    """The products that it can be after one more question."""
    loop = asyncio.get_running_loop()
    channel.clear()
    channel.send(question.frame)
    waits = silence_s(setting, len(question.frame), question.thinks_s) + question.longest * setting.character_s
    until, data = loop.time() + waits, b""
    while (left := until - loop.time()) > 0 and (more := await channel.hear(left)):
        data += more
        chosen = question.choose(data)
        if chosen is not None:
            return chosen
    return question.silent


async def _asked(asker: Asker, unit: int, read: Read) -> Answer:
    try:
        return await asker.ask(unit, read)
    except FrameError:
        return None


def _inside(read: Read, answers: dict[Read, Answer]) -> bytes | None:
    """The registers, if a longer read has brought them already."""
    if read.fc <= 2:
        return None
    for other, answer in answers.items():
        at = read.start - other.start
        if other.fc == read.fc and isinstance(answer, bytes) and at >= 0 and at + read.size <= other.size:
            return answer[2 * at : 2 * (at + read.size)]
    return None


def _as_delivered(profile: Profile, unit: int, setting: Setting | None) -> bool:
    factory = profile.serial
    if factory is None or setting is None:
        return False
    return (factory.baud, factory.parity, factory.unit) == (setting.baud, setting.parity, unit)
