"""Somebody at the wire, while keys are set and otherwise: what they get, what they can make the gateway do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.texts import Text
from drivers.bus import CommandFailed
from drivers.osdp import codec
from drivers.osdp.codec import CHLNG, KEYSET, Frame
from drivers.osdp.keys import Keys, KeyStore
from drivers.osdp.line import RESPONSE_S
from drivers.osdp.meaning import COMMAND_OUTPUT, output
from drivers.osdp.panel_commands import PanelCommand
from drivers.reports import InputRefused, PointsRead
from simulators.osdp.pd import Pd
from tests.drivers.osdp_line import KEY, SERIAL, OsdpLine, keyed, osdp_line
from tests.drivers.test_osdp_line import Loop, cards


def by_default_key(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.code == CHLNG and frame.block[1:2] == b"\x00"]


def keys_of(line: OsdpLine, reader: str = "in") -> Keys:
    return KeyStore(line.folder / "gateway").of(reader)


def exchange_when(line: OsdpLine, asked: int) -> None:
    """As soon as a reader is asked this, somebody puts one from the factory in its place; the question is lost."""
    hear = line.wire.readers.hear
    done: list[Frame] = []

    def cut(frames: Any, data: bytes, say: Callable[[bytes], object]) -> None:
        frame = codec.read(data)
        if frame.code == asked and not done:
            done.append(frame)
            line.asked.append(frame)
            line.fault("in", "factory-reset")
            return
        hear(frames, data, say)

    line.wire.readers.hear = cut  # type: ignore[method-assign]


async def test_whoever_cuts_a_change_short_is_not_given_the_new_key(tmp_path: Path) -> None:
    """The reader had a key: the default key, which everybody knows, is nobody's way in."""
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.asked.clear()
        exchange_when(line, KEYSET)
        with pytest.raises(CommandFailed):
            await line.bus.set_key("in", within_s=15)
        assert [frame.name for frame in line.asked if frame.code == KEYSET] == ["KEYSET"]
        assert not by_default_key(line.asked)
        assert KEY in keys_of(line).to_try


async def test_a_change_that_ran_out_of_time_is_never_sent_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line owes somebody else an answer while the time runs out, and the disk is slow to forget the key."""
    keyed(tmp_path, "in", "out")
    withdraw = KeyStore.withdraw

    def slowly(store: KeyStore, reader: str) -> Keys:
        time.sleep(2 * RESPONSE_S)
        return withdraw(store, reader)

    monkeypatch.setattr(KeyStore, "withdraw", slowly)
    async with osdp_line(tmp_path, {"in": {"unit": 0}, "out": {"unit": 1}}, SERIAL) as line:
        await line.online("in", "out")
        line.fault("out", "silent")
        line.asked.clear()
        await line.until(lambda: line.asked and line.asked[-1].address == 1)
        with pytest.raises(CommandFailed):
            await line.bus.set_key("in", within_s=0.02)
        assert keys_of(line) == Keys(KEY), "it was never sent, so it is no key"
        line.mend()
        await line.online("in")
        await line.bus.write("in", "beep", 1, within_s=10)
        assert not any(frame.code == KEYSET for frame in line.asked)
        assert (tmp_path / "line" / "osdp" / "in.key").read_text() == KEY.hex()


async def test_a_reader_that_joins_while_its_key_is_prepared_costs_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent is on the disk, whatever was settled between its writing and its sending."""
    keyed(tmp_path, "in")
    prepare = KeyStore.prepare
    settled: list[Keys] = []

    def joined_meanwhile(store: KeyStore, reader: str) -> Keys:
        keys = prepare(store, reader)
        if not settled:
            settled.append(store.settle(reader, KEY))
        return keys

    monkeypatch.setattr(KeyStore, "prepare", joined_meanwhile)
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        on_disk: list[Keys] = []
        hear = line.wire.readers.hear

        def look(frames: Any, data: bytes, say: Callable[[bytes], object]) -> None:
            if codec.read(data).code == KEYSET:
                on_disk.append(keys_of(line))
            hear(frames, data, say)

        line.wire.readers.hear = look  # type: ignore[method-assign]
        await line.bus.set_key("in", within_s=15)
        held = bytes.fromhex((tmp_path / "line" / "osdp" / "in.key").read_text())
        assert on_disk == [Keys(KEY, held)]


def refused(loop: Loop) -> bool:
    """Whether the alarm was given."""
    readings = [reading for report in loop.heard.of(PointsRead) for reading in report.readings]
    return any(reading.point == "reader-0.key_refused" and reading.value for reading in readings)


def test_a_reader_without_a_secure_channel_in_the_place_of_one_with_a_key(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.online()
    loop.pds[0] = Pd(0, None, {}, serial_number=7, obey=lambda _: True, states=lambda _: bytes(2))
    loop.pds[0].card(bytes.fromhex("86e1d580"), 26)
    loop.run(lambda: not loop.readers[0].there)
    loop.run(lambda: refused(loop))
    assert not cards(loop)


def test_a_command_that_met_silence_is_not_repeated_later(tmp_path: Path) -> None:
    """In the clear too: the library would say it again 0.8 and 1.6 s later, when nobody wants it any more."""
    loop = Loop(tmp_path, secure=False)
    obeyed: list[int] = []

    def obey(command: dict[str, Any]) -> bool:
        obeyed.append(command["command"])
        return True

    loop.pds[0] = Pd(0, None, {2: 1}, serial_number=1, obey=obey, states=lambda _: bytes(2))
    loop.online()
    loop.run(lambda: len(loop.asked) > 6)
    answers: list[Text | None] = []
    until = time.monotonic() + 0.5
    loop.mute.add(0)
    heard, loop.pds[0].heard = loop.pds[0].heard, lambda frame: b""  # type: ignore[method-assign]
    loop.readers[0].give(PanelCommand(output(0, on=True, for_s=3.0), until, answers.append))
    loop.run(lambda: time.monotonic() > until)
    loop.pds[0].heard = heard  # type: ignore[method-assign]
    loop.mute.clear()
    loop.asked.clear()
    loop.run(lambda: len(loop.asked) > 20)
    assert len(answers) == 1
    assert answers != [None]
    assert COMMAND_OUTPUT not in obeyed


async def test_a_damaged_pin_in_the_clear_is_refused_and_not_told(tmp_path: Path) -> None:
    keypad = {"in": {"unit": 0, "secure": False, "profile": "osdp_keypad_reader"}}
    async with osdp_line(tmp_path, keypad, SERIAL) as line:
        await line.online("in")
        hear = line.wire.readers.hear

        def damage(data: bytes) -> bytes:
            return data[:-1] + bytes([data[-1] ^ 1]) if codec.read(data).code == codec.KEYPAD else data

        def spoil(frames: Any, data: bytes, say: Callable[[bytes], object]) -> None:
            hear(frames, data, lambda said: say(damage(said)))

        line.wire.readers.hear = spoil  # type: ignore[method-assign]
        line.reader("in").type("8264#")
        await line.heard.until(lambda: line.heard.of(InputRefused))
        assert [report.sample[:1] + report.sample[5:] for report in line.heard.of(InputRefused)] == [b"\x53\x53"]
