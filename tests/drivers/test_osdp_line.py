"""A line without a wire: who speaks when, and what an answer is; the library's clock that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import osdp_sys  # type: ignore[import-not-found]
import pytest

from drivers.bus import BusHealth
from drivers.osdp import codec
from drivers.osdp.codec import Frame, read, write
from drivers.osdp.keys import KeyStore
from drivers.osdp.line import RESPONSE_S, Line
from drivers.osdp.reader import Reader
from drivers.profiles.files import load
from drivers.reports import CredentialRead, DeviceLost, InputRefused
from simulators.osdp.pd import Pd
from tests.drivers.osdp_line import CARD, KEY, keyed, osdp_line
from tests.drivers.sinks import Heard

BITS = bytes.fromhex("86e1d580")
Spoil = Callable[[bytes, bytes], list[bytes]]
"""Question and answer to what comes over the line."""


class Loop:
    """Readers, their line and their driver in one thread: every byte goes through the test's hands."""

    def __init__(self, folder: Path, readers: int = 1, *, secure: bool = True) -> None:
        self.heard = Heard()
        self.health = BusHealth()
        self.asked: list[Frame] = []
        self.spoil: Spoil = lambda question, answer: [answer]
        self.mute: set[int] = set()
        self._late: list[tuple[float, bytes]] = []
        store = KeyStore(folder)
        for address in range(readers):
            store.settle(f"reader-{address}", KEY)
        self.pds = [
            Pd(address, KEY if secure else None, {9: 1}, serial_number=address, obey=lambda _: True, states=_fine)
            for address in range(readers)
        ]
        self.readers = [
            Reader(
                f"reader-{address}",
                address,
                load("osdp_reader"),
                None,
                secure=secure,
                store=store,
                sink=self.heard,
                clock=lambda: 0,
            )
            for address in range(readers)
        ]
        self.line = Line(self.readers, self.health, guard_s=0.0, refused=self._refused)
        self.line.open(self._written, time.monotonic())

    def run(self, until: Callable[[], object], within_s: float = 20.0) -> None:
        """Lets time pass until it is so."""
        end = time.monotonic() + within_s
        while not until():
            now = time.monotonic()
            assert now < end, "it never was"
            for at, data in [each for each in self._late if each[0] <= now]:
                self._late.remove((at, data))
                self.line.received(data, now)
            wake = self.line.turn(now)
            time.sleep(max(0.0, min(wake - time.monotonic(), 0.002)))

    def online(self) -> None:
        """Lets time pass until every reader is there."""
        self.run(lambda: all(reader.there for reader in self.readers))

    def delayed(self, data: bytes, by_s: float) -> None:
        """Comes later."""
        self._late.append((time.monotonic() + by_s, data))

    def _written(self, data: bytes) -> None:
        frame = read(data)
        self.asked.append(frame)
        answer = self.pds[frame.address].heard(frame)
        if frame.address not in self.mute:
            self._late += [(0.0, each) for each in self.spoil(data, answer)]

    def _refused(self, why: str, sample: bytes) -> None:
        self.heard(InputRefused("line", why, sample))


def _fine(of: int) -> bytes:
    return bytes(2)


def cards(loop: Loop) -> list[str]:
    return [read.reader for read in loop.heard.of(CredentialRead)]


def test_an_adapter_that_echoes_what_is_said(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.spoil = lambda question, answer: [question + answer]
    loop.online()
    loop.pds[0].card(BITS, 26)
    loop.run(lambda: cards(loop))
    assert loop.heard.of(CredentialRead)[0].value == CARD
    assert loop.health.refused == 0


def test_echo_and_answer_byte_by_byte(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.spoil = lambda question, answer: [bytes([byte]) for byte in question + answer]
    loop.online()
    loop.pds[0].card(BITS, 26)
    loop.run(lambda: cards(loop))


def test_an_answer_in_the_name_of_another_is_nobodys(tmp_path: Path) -> None:
    loop = Loop(tmp_path, 2)
    loop.online()
    forged = write(Frame(address=1, reply=True, sequence=1, code=codec.RAW, data=b"\x00\x01\x1a\x00" + BITS))
    loop.spoil = lambda question, answer: [forged, answer] if read(question).address == 0 else [answer]
    late = loop.health.late
    loop.run(lambda: loop.health.late >= late + 5)
    assert all(reader.there for reader in loop.readers)
    assert not cards(loop)


def test_a_forged_card_inside_a_secure_channel_is_none(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.online()

    def forged(question: bytes, answer: bytes) -> list[bytes]:
        sequence = read(question).sequence
        return [write(Frame(address=0, reply=True, sequence=sequence, code=codec.RAW, data=b"\x00\x01\x1a\x00" + BITS))]

    loop.spoil = forged
    asked = len(loop.asked)
    loop.run(lambda: len(loop.asked) > asked + 2)
    loop.spoil = lambda question, answer: [answer]
    loop.online()
    assert not cards(loop)


def test_a_session_that_was_recorded_is_none_when_it_is_played_back(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    played: list[bytes] = []

    def record(question: bytes, answer: bytes) -> list[bytes]:
        played.append(answer)
        return [answer]

    loop.spoil = record
    loop.online()
    loop.pds[0].card(BITS, 26)
    loop.run(lambda: cards(loop))

    again = Loop(tmp_path)
    replay = iter(played)
    again.spoil = lambda question, answer: [next(replay, b"")]
    again.run(lambda: again.heard.of(DeviceLost))
    assert not cards(again)


def test_an_answer_that_comes_too_late_is_none(tmp_path: Path) -> None:
    loop = Loop(tmp_path, 2)
    loop.online()

    def late(question: bytes, answer: bytes) -> list[bytes]:
        if read(question).address == 0 and read(question).code == codec.POLL:
            loop.delayed(answer, RESPONSE_S + 0.02)
            return []
        return [answer]

    loop.pds[0].card(BITS, 26)
    loop.spoil = late
    before = loop.health.late
    loop.run(lambda: loop.health.late > before)
    loop.spoil = lambda question, answer: [answer]
    loop.online()
    assert not cards(loop), "the reader gave it away when it was not heard"
    loop.pds[0].card(BITS, 26)
    loop.run(lambda: cards(loop))
    assert cards(loop) == ["reader-0"]
    assert not loop.heard.of(DeviceLost)


def test_one_missed_answer_costs_one_new_channel_and_nobody_else(tmp_path: Path) -> None:
    loop = Loop(tmp_path, 2)
    loop.online()
    loop.mute.add(0)
    loop.run(lambda: loop.health.timeouts == 1)
    loop.mute.clear()
    loop.asked.clear()
    loop.online()
    assert [frame.name for frame in loop.asked if frame.address == 0][:4] == ["ID", "CAP", "CHLNG", "SCRYPT"]
    assert not any(frame.name == "ID" for frame in loop.asked if frame.address == 1)
    assert not loop.heard.of(DeviceLost)


def test_nobody_is_spoken_to_while_an_answer_is_owed(tmp_path: Path) -> None:
    loop = Loop(tmp_path, 3)
    loop.online()
    open_questions: list[int] = []

    def strict(question: bytes, answer: bytes) -> list[bytes]:
        assert not open_questions
        return [answer]

    loop.spoil = strict
    for pd in loop.pds:
        pd.card(BITS, 26)
    loop.run(lambda: len(cards(loop)) == 3)
    assert sorted(cards(loop)) == ["reader-0", "reader-1", "reader-2"]
    assert loop.health.late == 0


class Standing:
    """The library while the wall clock is set back: it thinks that nothing is due."""

    made: ClassVar[list[Standing]] = []
    real = osdp_sys.ControlPanel

    def __init__(self, readers: list[dict[str, Any]]) -> None:
        self._panel = self.real(readers)
        self.stands = False
        self.made.append(self)

    def refresh(self) -> None:
        if not self.stands:
            self._panel.refresh()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._panel, name)


async def test_a_clock_that_is_set_back_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osdp_sys, "ControlPanel", Standing)
    monkeypatch.setattr(Standing, "made", [])
    keyed(tmp_path, "in")
    bus = {"kind": "osdp-serial", "port": "/dev/null", "baud": 115200}
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, bus) as line:
        await line.online("in")
        for panel in Standing.made:
            panel.stands = True
        before = len(Standing.made)
        await line.until(lambda: len(Standing.made) > before)
        await line.online("in")
        line.reader("in").present(CARD)
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        assert not line.heard.of(DeviceLost)
