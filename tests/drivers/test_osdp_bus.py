"""OSDP readers on a real pty or TCP: secure channels, cards, PINs, states, commands, losses and returns."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.bus import CommandFailed
from drivers.osdp.codec import ID
from drivers.osdp.port import SerialOpener
from drivers.reports import CredentialRead, DeviceFound, DeviceLost, InputRefused
from simulators.ports import Pty
from tests.drivers.osdp_line import CARD, SERIAL, TCP, keyed, osdp_line

KEYPAD = {"profile": "osdp_keypad_reader"}


@pytest.mark.parametrize("bus", [SERIAL, TCP], ids=["serial", "tcp"])
async def test_cards_and_pins_of_two_readers(tmp_path: Path, bus: dict[str, object]) -> None:
    keyed(tmp_path, "in", "out")
    async with osdp_line(tmp_path, {"in": {"unit": 0, **KEYPAD}, "out": {"unit": 1}}, bus) as line:
        await line.online("in", "out")
        assert line.reader("in").type("12*4711#")
        assert line.reader("out").present(CARD)
        await line.heard.until(lambda: len(line.heard.of(CredentialRead)) == 2)
        assert set(line.heard.of(CredentialRead)) == {
            CredentialRead("in", "pin", "4711"),
            CredentialRead("out", "card", CARD),
        }
        assert line.bus.health.connected
        assert all(frame.block for frame in line.asked if frame.name == "POLL")


async def test_a_reader_that_is_declared_to_speak_in_the_clear(tmp_path: Path) -> None:
    async with osdp_line(tmp_path, {"in": {"unit": 0, "secure": False}}, SERIAL) as line:
        await line.online("in")
        line.reader("in").present(CARD)
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        assert not any(frame.block for frame in line.asked)
        with pytest.raises(CommandFailed, match="secure: false"):
            await line.bus.set_key("in", within_s=5)


async def test_the_form_of_cards_that_the_site_file_declares(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    said = {"unit": 0, "card": {"format": "hex", "size": 7}}
    async with osdp_line(tmp_path, {"in": said}, SERIAL) as line:
        await line.online("in")
        line.reader("in").present("04A1B2C3D4E5F6")
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        assert line.heard.of(CredentialRead) == [CredentialRead("in", "card", "04A1B2C3D4E5F6")]


async def test_wrong_parity_is_no_card(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        pd = line.reader("in").pd
        assert pd is not None
        pd.card(bytes.fromhex("00003440"), 26)
        await line.heard.until(lambda: line.heard.of(InputRefused))
        assert "parity" in line.heard.of(InputRefused)[0].why
        assert not line.heard.of(CredentialRead)
        assert line.bus.health.refused == 1


async def test_keys_of_a_reader_without_a_keypad(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        pd = line.reader("in").pd
        assert pd is not None
        pd.keys(b"1234#")
        await line.heard.until(lambda: line.heard.of(InputRefused))
        refused = line.heard.of(InputRefused)[0]
        assert "without a keypad" in refused.why
        assert b"1" not in refused.sample


async def test_what_a_reader_says_of_itself(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0, **KEYPAD}}, SERIAL) as line:
        for point in ("tampered", "power_failed", "key_refused", "input_1", "output_1"):
            await line.heard.until_value(f"in.{point}", value=False)
        line.fault("in", "tamper")
        await line.heard.until_value("in.tampered", value=True)
        line.mend()
        await line.heard.until_value("in.tampered", value=False)
        line.site.set_input("in", "input_1", True)
        await line.heard.until_value("in.input_1", value=True)


async def test_a_tampered_reader_that_comes_back_says_so_at_once(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        line.fault("in", "tamper")
        await line.heard.until_value("in.tampered", value=True)
        assert [reading.value for reading in line.heard.readings("in.tampered")] == [True]


async def test_commands(tmp_path: Path) -> None:
    keyed(tmp_path, "in", "out")
    async with osdp_line(tmp_path, {"in": {"unit": 0, **KEYPAD}, "out": {"unit": 1}}, SERIAL) as line:
        await line.online("in", "out")
        device = line.site.device("in")
        await line.bus.write("in", "output_1", True, within_s=5)
        assert device.output_on("output_1")
        await line.heard.until_value("in.output_1", value=True)
        await line.bus.write("in", "output_1", False, within_s=5)
        assert not device.output_on("output_1")
        await line.bus.pulse("in", "output_1", 25.0, within_s=5)
        assert device.output_on("output_1")
        await line.bus.write("in", "lamp", "blue", within_s=5)
        await line.bus.write("in", "beep", 2, within_s=5)
        await line.bus.write("in", "text", "Hello", within_s=5)
        assert device.shows == {"lamp": "blue", "beeps": 2, "text": "Hello"}
        for point, value, why in (
            ("output_1", 7, "no state of an output"),
            ("lamp", "mauve", "no colour"),
            ("tampered", True, "nothing to write"),
        ):
            with pytest.raises(CommandFailed, match=why):
                await line.bus.write("in", point, value, within_s=5)
        with pytest.raises(CommandFailed, match=r"25\.5"):
            await line.bus.pulse("in", "output_1", 30.0, within_s=5)
        with pytest.raises(CommandFailed, match="no output"):
            await line.bus.pulse("out", "output_1", 1.0, within_s=5)
        with pytest.raises(CommandFailed, match="not on this wire"):
            await line.bus.write("elsewhere", "lamp", "red", within_s=5)
        assert line.bus.online("in")


async def test_a_reader_shows_what_was_decided(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.bus.show("in", "denied")
        await line.until(lambda: line.site.device("in").shows["beeps"] == 3)
        assert line.site.device("in").shows["lamp"] == "red"
        line.bus.show("in", "granted")
        await line.until(lambda: line.site.device("in").shows["beeps"] == 4)
        assert line.site.device("in").shows["lamp"] == "green"
        line.bus.show("nobody", "granted")


async def test_nothing_is_shown_or_written_while_the_reader_is_away(tmp_path: Path) -> None:
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.heard.until(lambda: line.heard.of(DeviceLost))
        line.bus.show("in", "granted")
        with pytest.raises(CommandFailed, match="not there"):
            await line.bus.write("in", "lamp", "red", within_s=5)


# --- Who is there


async def test_one_dead_reader_is_lost_and_costs_the_others_little(tmp_path: Path) -> None:
    keyed(tmp_path, "in", "out")
    async with osdp_line(tmp_path, {"in": {"unit": 0}, "out": {"unit": 1}}, SERIAL) as line:
        await line.online("in", "out")
        line.fault("out", "offline")
        await line.heard.until(lambda: DeviceLost("out", "it does not answer") in line.heard.reports)
        line.asked.clear()
        await line.until(lambda: sum(frame.address == 0 for frame in line.asked) >= 60)
        assert sum(frame.address == 1 for frame in line.asked) <= 5
        line.reader("in").present(CARD)
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        line.mend()
        await line.online("out", within_s=12)
        assert line.heard.of(DeviceFound).count(DeviceFound("out")) == 2


async def test_a_reader_that_was_absent_at_the_start(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        line.fault("in", "offline")
        await line.heard.until(lambda: line.heard.of(DeviceLost))
        line.mend()
        await line.online("in", within_s=12)


async def test_a_short_power_cut_loses_nobody(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.reader("in").turn_on()  # it forgot its secure channel
        line.asked.clear()
        await line.until(lambda: any(frame.code == ID for frame in line.asked))
        await line.online("in")
        line.reader("in").present(CARD)
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        assert not line.heard.of(DeviceLost)


@pytest.mark.parametrize("bus", [SERIAL, TCP], ids=["serial", "tcp"])
async def test_the_wire_goes_and_comes_back(tmp_path: Path, bus: dict[str, object]) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, bus) as line:
        await line.online("in")
        before = {"port": getattr(line.wire, "port", None)}
        await line.wire.close()
        await line.heard.until(lambda: line.heard.of(DeviceLost))
        assert not line.bus.health.connected
        with pytest.raises(CommandFailed):
            await line.bus.write("in", "lamp", "red", within_s=1)
        await line.wire.open(before)
        await line.online("in")
        assert line.bus.health.reconnects == 1
        assert line.heard.of(DeviceFound) == [DeviceFound("in")] * 2


async def test_damaged_answers_are_never_read(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.fault("in", "corrupt")
        line.reader("in").present(CARD)
        await line.heard.until(lambda: line.heard.of(DeviceLost))
        assert not line.heard.of(CredentialRead)
        assert line.bus.health.refused > 0
        assert any(refused.wire == "wire" for refused in line.heard.of(InputRefused))


async def test_noise_between_frames(tmp_path: Path) -> None:
    keyed(tmp_path, "in")
    async with osdp_line(tmp_path, {"in": {"unit": 0}}, SERIAL) as line:
        await line.online("in")
        line.fault("in", "noise")
        await line.heard.until(lambda: line.heard.of(InputRefused))
        for _ in range(5):
            line.reader("in").present(CARD)
        line.mend()
        await line.heard.until(lambda: line.heard.of(CredentialRead))
        assert set(line.heard.of(CredentialRead)) == {CredentialRead("in", "card", CARD)}


async def test_the_port_is_taken_for_one_process_alone(tmp_path: Path) -> None:
    line = Pty(tmp_path / "tty", lambda data: None)
    line.open()
    try:
        port = await SerialOpener(str(line.link), 9600)()
        with pytest.raises(OSError, match=r"xclusive|busy|lock"):
            await SerialOpener(str(line.link), 9600)()
        port.close()
    finally:
        line.close()
