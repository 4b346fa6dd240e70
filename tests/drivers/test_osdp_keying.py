"""Keys on the wire: set when a person asks for it and never otherwise; whatever is cut in between, none is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.bus import CommandFailed
from drivers.osdp.codec import CHLNG, KEYSET, Frame
from drivers.osdp.keys import Keys, KeyStore
from drivers.reports import CredentialRead, DeviceLost
from tests.drivers.osdp_line import CARD, KEY, SERIAL, OsdpLine, keyed, osdp_line

OTHER = bytes(range(16, 32))


def by_default_key(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.code == CHLNG and frame.block[1:2] == b"\x00"]


def keys_of(line: OsdpLine, reader: str = "in") -> Keys:
    return KeyStore(line.folder / "gateway").of(reader)


def readers_key(line: OsdpLine, reader: str = "in") -> bytes:
    return bytes.fromhex((line.folder / "line" / "osdp" / f"{reader}.key").read_text())


async def test_a_reader_without_a_key_is_not_spoken_to(tmp_path: Path) -> None:
    async with osdp_line(tmp_path, {"in": {"unit": 0}, "out": {"unit": 1, "secure": False}}, SERIAL) as line:
        await line.online("out")
        assert line.heard.of(DeviceLost) == [DeviceLost("in", "it has no key yet: set one (install)")]
        assert not any(frame.address == 0 for frame in line.asked)


async def test_a_key_is_set_and_then_changed_inside_its_own_channel(tmp_path: Path) -> None:
    async with osdp_line(tmp_path, {"in": {"unit": 0}, "out": {"unit": 1}}, SERIAL) as line:
        await line.bus.set_key("in", within_s=15)
        await line.online("in")
        first = readers_key(line)
        assert keys_of(line) == Keys(first)
        assert len(by_default_key(line.asked)) == 1
        assert all(frame.address == 0 for frame in line.asked), "nobody else was given a key"

        line.asked.clear()
        await line.bus.set_key("in", within_s=15)
        await line.online("in")
        assert readers_key(line) != first
        assert keys_of(line) == Keys(readers_key(line))
        assert not by_default_key(line.asked)

        line.reader("in").present(CARD)
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        said = " ".join(str(report) for report in line.heard.reports)
        assert first.hex() not in said
        assert readers_key(line).hex() not in said


async def test_a_key_that_was_sent_before_a_crash_is_found_again(tmp_path: Path) -> None:
    keyed(tmp_path, "in", key=KEY)
    store = KeyStore(tmp_path / "gateway")
    pending = store.prepare("in").pending
    assert pending is not None
    (tmp_path / "line" / "osdp" / "in.key").write_text(pending.hex())  # the reader took it, then the power failed
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        assert keys_of(line) == Keys(pending)
        assert not by_default_key(line.asked)


async def test_a_key_that_never_got_there_is_forgotten(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    KeyStore(tmp_path / "gateway").prepare("in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        assert keys_of(line) == Keys(KEY)


@pytest.mark.parametrize("fault", ["factory-reset", "wrong-key"])
async def test_a_reader_that_was_reset_or_exchanged_is_not_used(tmp_path: Path, fault: str) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.fault("in", fault)
        await line.heard.until_value("in.key_refused", value=True)
        line.reader("in").present(CARD)
        line.asked.clear()
        await line.until(lambda: sum(frame.code == CHLNG for frame in line.asked) >= 2)
        assert not by_default_key(line.asked), "it is never spoken to by the default key"
        assert not any(frame.code == KEYSET for frame in line.asked), "and never given a key"
        assert not line.heard.of(CredentialRead)
        assert not line.bus.online("in")
        assert keys_of(line) == Keys(KEY)
        line.mend()
        await line.online("in", within_s=12)
        await line.heard.until_value("in.key_refused", value=False)


async def test_a_reader_that_was_rightly_exchanged_gets_a_key_when_a_person_asks(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.fault("in", "factory-reset")
        await line.heard.until_value("in.key_refused", value=True)
        await line.bus.set_key("in", within_s=15)
        await line.online("in")
        assert keys_of(line) == Keys(readers_key(line))
        await line.heard.until_value("in.key_refused", value=False)


async def test_a_reader_with_a_foreign_key_takes_none(tmp_path: Path) -> None:
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        line.fault("in", "wrong-key")
        with pytest.raises(CommandFailed, match="factory reset"):
            await line.bus.set_key("in", within_s=15)
        assert not any(frame.code == KEYSET for frame in line.asked)
        assert keys_of(line) == Keys(), "what was never sent is no key"


async def test_a_reader_that_is_away_takes_none_and_keeps_the_one_that_it_has(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.fault("in", "offline")
        with pytest.raises(CommandFailed):
            await line.bus.set_key("in", within_s=15)
        line.mend()
        await line.online("in", within_s=15)
        assert keys_of(line) == Keys(readers_key(line)) == Keys(KEY)


async def test_a_key_file_that_cannot_be_read_is_said_and_left(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    file = tmp_path / "gateway" / "osdp-keys" / "in.json"
    file.write_text("scribble")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.heard.until(lambda: line.heard.of(DeviceLost))
        assert "in.json is no key file" in line.heard.of(DeviceLost)[0].why
        with pytest.raises(CommandFailed, match="cannot be kept"):
            await line.bus.set_key("in", within_s=15)
        assert file.read_text() == "scribble"


FIRST_CHALLENGE = """
import time
from drivers.osdp.codec import CHLNG, read
from drivers.osdp.panel import Panel
from simulators.osdp.pd import Pd
said = []
pd = Pd(1, bytes(16), {9: 1}, serial_number=1, obey=lambda command: True, states=lambda of: b"")
panel = Panel(1, "secure", bytes(16), send=said.append, report=lambda told: None)
while panel.step():
    frame = read(said[-1])
    if frame.code == CHLNG:
        print(frame.data.hex())
        break
    panel.take(read(pd.heard(frame)))
"""


def test_challenges_are_others_in_every_process() -> None:
    """The library draws them from a generator that nobody seeds: a recorded session could be played back otherwise."""
    challenges = {
        subprocess.run(
            [sys.executable, "-c", FIRST_CHALLENGE],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for _ in range(3)
    }
    assert len(challenges) == 3
    assert all(len(challenge.strip()) == 16 for challenge in challenges)
