"""Conversations with M-Bus meters, without a wire: what is asked next, what is believed, what is not."""

from __future__ import annotations

from datetime import datetime

import pytest

from drivers.bus import CommandFailed
from drivers.errors import FrameError
from drivers.mbus import codec as mbus
from drivers.mbus.station import MbusStation
from drivers.meters.dialect import Denied, Foreign, More, Said, Talk, Verdict
from tests.drivers.products import Installed, product
from tests.drivers.test_mbus import PUBLISHED

HEAD = """
id: probe
kind: heat_meter
protocol: mbus
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
points:
  heat: {quantity: energy, unit: kWh, min: 0, max: 1000, name: {zh: 热, en: Heat}}
  joules: {quantity: energy, sent_in: J, unit: MJ, name: {zh: 焦, en: Joules}}
  settled: {quantity: energy, storage: 1, unit: kWh, name: {zh: 结, en: Settled}}
  night: {quantity: energy, tariff: 2, unit: kWh, name: {zh: 夜, en: Night}}
  peak: {quantity: power, function: maximum, unit: kW, name: {zh: 峰, en: Peak}}
  day: {quantity: date, storage: 1, name: {zh: 日, en: Day}}
  number: {of: identity, name: {zh: 号, en: Number}}
  flags:
    quantity: error_flags
    bits: {1: {point: leak, zh: 漏, en: Leak}, 2: {point: dry, active: 0, zh: 干, en: Dry}}
  status: {of: status, bits: {2: {point: weak, zh: 弱, en: Weak}}}
"""
PRODUCT = product("", HEAD)
NUMBER = "02205100824D0204"
ACK = b"\xe5"


def station(**installed: object) -> MbusStation:
    return MbusStation("m", Installed(**({"unit": 5} | installed)), PRODUCT)  # type: ignore[arg-type]


def answer(records: str, identity: str = NUMBER, address: int = 5, status: int = 0) -> bytes:
    head = b"\x72" + mbus.secondary_bytes(identity) + bytes((7, status, 0, 0))
    return mbus.long(mbus.RSP_UD, address, head + bytes.fromhex(records))


def begun(meter: MbusStation) -> Talk:
    """The conversation, when the meter has been asked for its data."""
    talk = meter.read(meter.blocks()[0])
    for _ in range(3):
        if talk.ask().frame[1] & 0x4F == 0x4B:
            return talk
        assert isinstance(talk.heard(ACK), More)
    raise AssertionError("never asked")


def values(verdict: Verdict) -> dict[str, object]:
    assert isinstance(verdict, Said)
    assert all((worth.value is None) == (worth.quality == "bad") for worth in verdict.worths)
    return {worth.point: worth.value for worth in verdict.worths}


def read(records: str, **rest: object) -> dict[str, object]:
    return values(begun(station()).heard(answer(records, **rest)))  # type: ignore[arg-type]


def test_a_reading_begins_the_link_and_asks() -> None:
    talk = station(unit=8).read(station().blocks()[0])
    assert talk.ask().frame == bytes.fromhex("10 40 08 48 16")
    assert talk.heard(ACK) == More()
    assert talk.ask().frame == bytes.fromhex("10 7B 08 83 16")
    said = values(talk.heard(mbus.long(8, 8, mbus.parse(PUBLISHED).data)))
    assert said["heat"] == 0
    assert said["number"] == "02205100"


def test_every_point_has_its_own_record() -> None:
    said = read(
        "04 06 05000000  44 06 06000000  84 20 06 07000000  04 2B 08000000  14 2B 09000000  42 6C 8C11  02 FD17 0200",
        status=0x04,
    )
    assert said == {
        "heat": 5, "joules": None, "settled": 6, "night": 7, "peak": 0.009, "day": "2012-01-12", "number": "02205100",
        "leak": True, "dry": True, "weak": True,
    }  # fmt: skip


NEIGHBOURS = {
    "another storage": "84 01 06 05000000",
    "another tariff": "84 10 06 05000000",
    "another subunit": "84 40 06 05000000",
    "the highest": "14 06 05000000",
    "while in error": "34 06 05000000",
    "backward only": "04 86 3C 05000000",
    "another quantity": "04 13 05000000",
    "reactive": "04 FB02 05000000",
    "the maker's own": "04 FF01 05000000",
    "too much": "04 07 FFFF0000",
    "less than nothing": "04 06 FFFFFFFF",
    "invalid": "04 06 00000080",
    "twice, and not the same": "04 06 05000000 04 06 06000000",
    "nothing": "",
}


@pytest.mark.parametrize("records", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_a_neighbour_is_never_read_instead(records: str) -> None:
    assert read(records)["heat"] is None


def test_the_same_twice_is_one_value() -> None:
    assert read("04 06 05000000 04 05 32000000")["heat"] == 5


def test_one_quantity_in_two_units_is_told_apart() -> None:
    assert read("04 0E 24000000")["heat"] == 10
    said = read("04 06 05000000 04 0E 12000000")
    assert (said["heat"], said["joules"]) == (5, 18)
    said = read("04 06 05000000 04 0E 13000000")
    assert (said["heat"], said["joules"]) == (None, 19), "two that differ: which one counts, the profile must say"


def test_telegrams_are_asked_for_until_the_last_and_fcb_alternates() -> None:
    talk = begun(station())
    assert talk.heard(answer("04 06 05000000 1F")) == More()
    assert talk.ask().frame == mbus.request(5, fcb=False)
    assert talk.heard(answer("44 06 06000000 1F")) == More()
    assert talk.ask().frame == mbus.request(5, fcb=True)
    said = values(talk.heard(answer("42 6C 8C11")))
    assert (said["heat"], said["settled"], said["day"]) == (5, 6, "2012-01-12")


def test_a_damaged_answer_is_asked_for_again_with_the_same_fcb() -> None:
    meter = station()
    talk = begun(meter)
    talk.heard(answer("04 06 05000000 1F"))
    assert talk.ask().frame == mbus.request(5, fcb=False)
    again = meter.again(meter.blocks()[0], talk)
    assert again.ask().frame == mbus.request(5, fcb=False)
    assert values(again.heard(answer("44 06 06000000")))["heat"] == 5


def test_telegrams_without_end_are_refused() -> None:
    talk = begun(station())
    with pytest.raises(FrameError, match="more than 16 telegrams"):
        for turn in range(17):
            assert isinstance(talk.heard(answer(f"04 06 {turn:02X}000000 1F")), More)


def test_a_meter_that_announces_more_and_repeats_itself_has_said_all() -> None:
    talk = begun(station())
    assert talk.heard(answer("04 06 05000000 1F")) == More()
    assert values(talk.heard(answer("04 06 05000000 1F")))["heat"] == 5


FOREIGN = {
    "another primary address": answer("04 06 05000000", address=6),
    "a request of another master": mbus.request(5, fcb=True),
    "a selection": mbus.select("02205100"),
    "an acknowledgement": ACK,
}


@pytest.mark.parametrize("frame", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_answer_is_ignored(frame: bytes) -> None:
    talk = begun(station())
    assert isinstance(talk.heard(frame), Foreign)
    assert values(talk.heard(answer("04 06 05000000")))["heat"] == 5


def test_data_before_they_were_asked_for_are_ignored() -> None:
    talk = station().read(station().blocks()[0])
    talk.ask()
    assert talk.heard(answer("04 06 05000000")) == Foreign("an answer to an earlier question", late=True)


def test_an_alarm_bit_in_the_control_byte_is_still_an_answer() -> None:
    frame = mbus.long(0x38, 5, mbus.parse(answer("04 06 05000000")).data)
    assert values(begun(station()).heard(frame))["heat"] == 5


def test_another_meter_that_goes_on_is_not_believed() -> None:
    talk = begun(station())
    talk.heard(answer("04 06 05000000 1F"))
    assert isinstance(talk.heard(answer("44 06 06000000", identity="02205101824D0204")), Foreign)


def test_a_meter_without_primary_address_is_selected() -> None:
    meter = station(address="02205100")
    talk = meter.read(meter.blocks()[0])
    asked = talk.ask()
    assert (asked.frame, asked.unanswered) == (bytes.fromhex("10 40 FD 3D 16"), True)
    assert talk.heard(ACK) == More()
    asked = talk.ask()
    assert (asked.frame, asked.unanswered) == (mbus.select("02205100"), False)
    assert talk.heard(ACK) == More()
    assert talk.ask().frame == mbus.request(253, fcb=True)
    assert isinstance(talk.heard(answer("04 06 05000000", identity="02205101824D0204")), Foreign)
    assert isinstance(talk.heard(mbus.long(8, 5, bytes.fromhex("78 04 06 05000000"))), Foreign)
    assert values(talk.heard(answer("04 06 05000000", address=77)))["heat"] == 5


def test_silence_after_deselecting_goes_on_to_selecting() -> None:
    meter = station(address="0220FFFF824D0204")
    talk = meter.read(meter.blocks()[0])
    talk.ask()
    assert talk.ask().frame == mbus.select("0220FFFF824D0204")


def test_a_meter_that_only_reports_an_error_denies() -> None:
    talk = begun(station())
    verdict = talk.heard(mbus.long(8, 5, b"\x70\x09"))
    assert isinstance(verdict, Denied)
    assert {worth.quality for worth in station().denied(station().blocks()[0])} == {"bad"}


def test_encrypted_data_are_refused() -> None:
    with pytest.raises(FrameError, match="encrypted"):
        begun(station()).heard(mbus.long(8, 5, bytes.fromhex("72 00512002 824D 02 04 00 88 1005") + bytes(16)))


def test_a_site_says_how_often_a_battery_is_woken() -> None:
    meter = station(poll_s=3600)
    assert [meter.periods[block.group] for block in meter.blocks()] == [3600]


def test_no_commands() -> None:
    with pytest.raises(CommandFailed, match="takes no command"):
        station().write("heat", 1, datetime(2026, 1, 1))


FAULTY = {
    "unit": ("unit: kWh, min: 0", "unit: m3, min: 0", "energy is read in"),
    "no quantity": ("{quantity: energy, storage: 1,", "{storage: 1,", "which quantity it is"),
    "sent in": ("sent_in: J", "sent_in: m3", "is not sent in"),
    "a unit of the header": ("of: identity,", "of: identity, unit: kWh,", "has neither quantity nor unit"),
    "status without bits": ("bits: {2: {point: weak, zh: 弱, en: Weak}}", "name: {zh: a, en: a}", "bit by bit"),
    "bits of an energy": ("quantity: error_flags", "quantity: allocation", "only error_flags"),
    "twice": ("point: weak", "point: leak", "is already at"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), FAULTY.values(), ids=FAULTY.keys())
def test_mistakes_of_a_profile(old: str, new: str, told: str) -> None:
    assert HEAD.count(old) == 1
    with pytest.raises(Exception, match=told):
        product("", HEAD.replace(old, new))
