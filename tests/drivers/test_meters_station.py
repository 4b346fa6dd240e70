"""Conversations with meters, without a wire: what is believed, what is not, what is asked next."""

from __future__ import annotations

from datetime import datetime

import pytest

from drivers.changes import Worth
from drivers.cjt188 import codec as cjt188
from drivers.cjt188.station import Cjt188Station
from drivers.dlt645 import codec as dlt645
from drivers.dlt645.station import Dlt645Station
from drivers.errors import FrameError
from drivers.meters.dialect import Denied, Foreign, More, Said, Talk, Verdict
from drivers.meters.items import Item
from drivers.profiles.files import load
from tests.drivers.meters import meter_product
from tests.drivers.products import Installed

ADDRESS = "398192000337"
ENERGY = "00000100"
"""Item 00010000 as on the wire."""

PRODUCT = meter_product(
    "points:\n"
    "  energy: {di: 0x00010000, length: 4, decimals: 2, min: 0, max: 500000, name: {zh: 电量, en: Energy}}\n"
    "  power: {di: 0x02030000, length: 3, decimals: 4, signed: true, name: {zh: 功率, en: Power}}\n"
    "  asset: {di: 0x04000403, length: 6, form: ascii, name: {zh: 资产号, en: Asset}}\n"
    "  number: {address: true, name: {zh: 表号, en: Number}}\n"
    "  clock: {di: 0x04000101, time_di: 0x04000102, length: 4, form: clock, layout: YYMMDDWWhhmmss,"
    " name: {zh: 时钟, en: Clock}}\n"
    "  state: {di: 0x04000503, length: 2, form: binary, mask: 0x10, name: {zh: 状态, en: State},"
    " enum: {0: {label: closed, zh: 合, en: closed}}}\n"
)


def station(address: str | None = ADDRESS, version: int = 2007) -> Dlt645Station:
    product = PRODUCT
    if version == 1997:
        product = meter_product(
            "version: 1997\npoints:\n  energy: {di: 0x9010, length: 4, decimals: 2, name: {zh: 电量, en: Energy}}\n"
        )
    return Dlt645Station("m", Installed(address=address), product)


def item(of: Dlt645Station, number: int) -> Item:
    return next(block for block in of.blocks() if isinstance(block, Item) and block.item == number)


def talk(of: Dlt645Station, number: int = 0x00010000) -> Talk:
    begun = of.read(item(of, number))
    begun.ask()
    return begun


def say(to: Talk, control: int, data: str, address: str = ADDRESS) -> Verdict:
    return to.heard(dlt645.frame(address, control, bytes.fromhex(data), wake=0))


def values(verdict: Verdict) -> dict[str, object]:
    assert isinstance(verdict, Said)
    return {worth.point: worth.value for worth in verdict.worths}


def test_an_answer_is_read_and_names_the_meter() -> None:
    assert values(say(talk(station()), 0x91, ENERGY + "78563412")) == {"energy": 123456.78, "number": ADDRESS}


def test_a_published_answer_is_read() -> None:
    # Field notes: 0.04 kWh of meter 398192000337.
    answer = bytes.fromhex("68 37 03 00 92 81 39 68 91 08 33 33 34 33 37 33 33 33 8C 16")
    assert values(talk(station()).heard(answer))["energy"] == 0.04


IGNORED = {
    "another meter": (0x91, ENERGY + "78563412", "000000000001"),
    "another item": (0x91, "00000200" + "78563412", ADDRESS),
    "another code": (0x94, "", ADDRESS),
    "a request of another master": (0x11, ENERGY, ADDRESS),
    "a frame to follow that was not asked for": (0x92, ENERGY + "78563412" + "01", ADDRESS),
    "too short for an item": (0x91, "0000", ADDRESS),
}


@pytest.mark.parametrize(("control", "data", "address"), IGNORED.values(), ids=IGNORED.keys())
def test_what_is_no_answer_is_ignored(control: int, data: str, address: str) -> None:
    begun = talk(station())
    assert isinstance(say(begun, control, data, address), Foreign)
    assert values(say(begun, 0x91, ENERGY + "01000000"))["energy"] == 0.01


@pytest.mark.parametrize("data", ["785634", "7856341200", ""])
def test_an_answer_of_another_length_is_refused(data: str) -> None:
    with pytest.raises(FrameError, match="4 bytes are expected"):
        say(talk(station()), 0x91, ENERGY + data)


BAD = {
    "no digits": "7A563412",
    "no value": "FFFFFFFF",
    "too large": "00000051",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_value_that_cannot_be_is_bad(data: str) -> None:
    verdict = say(talk(station()), 0x91, ENERGY + data)
    assert isinstance(verdict, Said)
    assert Worth("energy", None, "bad") in verdict.worths


def test_forms_of_values() -> None:
    meter = station()
    assert values(say(talk(meter, 0x02030000), 0x91, "00000302" + "345692"))["power"] == -12.5634
    assert values(say(talk(meter, 0x04000403), 0x91, "03040004" + b"AB-12 "[::-1].hex()))["asset"] == "AB-12"
    assert values(say(talk(meter, 0x04000403), 0x91, "03040004" + "0102030405FE"))["asset"] is None
    assert values(say(talk(meter, 0x04000503), 0x91, "03050004" + "0000"))["state"] == "closed"
    assert values(say(talk(meter, 0x04000503), 0x91, "03050004" + "1000"))["state"] is None


def test_a_clock_is_two_items_of_one_conversation() -> None:
    begun = talk(station(), 0x04000101)
    assert isinstance(say(begun, 0x91, "01010004" + "00221126"), More)
    assert dlt645.parse(begun.ask().frame[-16:]).data.hex() == "02010004"
    assert isinstance(say(begun, 0x91, "01010004" + "00221126"), Foreign)
    assert values(say(begun, 0x91, "02010004" + "563412"))["clock"] == "2026-11-22T12:34:56"


def test_around_midnight_a_clock_is_not_told() -> None:
    begun = talk(station(), 0x04000101)
    say(begun, 0x91, "01010004" + "00221126")
    begun.ask()
    assert say(begun, 0x91, "02010004" + "590000") == Said()


def test_an_impossible_time_is_bad() -> None:
    begun = talk(station(), 0x04000101)
    say(begun, 0x91, "01010004" + "00321126")
    begun.ask()
    assert values(say(begun, 0x91, "02010004" + "563412"))["clock"] is None


def test_a_refusal_in_the_meters_words() -> None:
    verdict = say(talk(station()), 0xD1, "02")
    assert isinstance(verdict, Denied)
    assert verdict.why.en == "it does not have this item"


def test_frames_to_follow_are_numbered_and_bounded() -> None:
    begun = talk(station())
    assert isinstance(say(begun, 0xB1, ENERGY + "7856"), More)
    asked = dlt645.parse(begun.ask().frame[-17:])
    assert (asked.control, asked.data.hex()) == (0x12, ENERGY + "01")
    assert isinstance(say(begun, 0x92, ENERGY + "3412" + "02"), Foreign)
    assert isinstance(say(begun, 0x91, ENERGY + "00000000"), Foreign)
    assert values(say(begun, 0x92, ENERGY + "3412" + "01"))["energy"] == 123456.78


def test_frames_without_end_are_refused() -> None:
    begun = talk(station())
    with pytest.raises(FrameError, match="more came"):
        say(begun, 0xB1, ENERGY + "7856341201")
    begun = talk(station())
    with pytest.raises(FrameError, match="more came"):
        say(begun, 0xB1, ENERGY)


def test_the_only_meter_is_asked_for_its_address_and_held_to_it() -> None:
    meter = station(None)
    begun = meter.read(item(meter, 0x00010000))
    assert begun.ask().frame == bytes.fromhex("68 AA AA AA AA AA AA 68 13 00 DF 16")
    with pytest.raises(FrameError, match="says of itself"):
        say(begun, 0x93, "000000000001"[::-1])
    assert isinstance(say(begun, 0x93, "370300928139"), More)
    assert dlt645.parse(begun.ask().frame).address == ADDRESS
    assert isinstance(say(begun, 0x91, ENERGY + "78563412", "000000000001"), Foreign)
    assert values(say(begun, 0x91, ENERGY + "78563412"))["number"] == ADDRESS
    meter.forget()
    assert meter.read(item(meter, 0x00010000)).ask().frame[-4] == 0x13


def test_1997_has_two_bytes_of_item_and_no_numbers_of_frames() -> None:
    meter = station("138000130754", 1997)
    begun = meter.read(item(meter, 0x9010))
    assert begun.ask().frame == bytes.fromhex("68 54 07 13 00 80 13 68 01 02 43 C3 DA 16")
    answer = bytes.fromhex("68 54 07 13 00 80 13 68 81 06 43 C3 34 33 33 33 2B 16")
    assert values(begun.heard(answer)) == {"energy": 0.01}
    with pytest.raises(FrameError, match="several frames"):
        say(begun, 0xA1, "1090" + "0100", "138000130754")
    assert isinstance(say(begun, 0xC1, "02", "138000130754"), Denied)


def test_1997_alone_on_its_line_is_found_by_its_answer() -> None:
    meter = station(None, 1997)
    begun = meter.read(item(meter, 0x9010))
    assert dlt645.parse(begun.ask().frame).address == dlt645.ANYBODY
    with pytest.raises(FrameError, match="an address that is none"):
        begun.heard(dlt645.frame(dlt645.ANYBODY, 0x81, bytes.fromhex("1090 01000000"), wake=0))
    say(begun, 0x81, "1090" + "01000000", "138000130754")
    assert meter.address == "138000130754"


WATER = Cjt188Station("w", Installed(address="78330011223344"), load("cjt188_water"))
READING = "77665500 2C 77665500 2C 31012211051520 2184"


def heard(begun: Talk, data: str, control: int = 0x81, kind: int = 0x10, address: str = "78330011223344") -> Verdict:
    serial = cjt188.parse(begun.ask().frame[4:]).data[2:3].hex()
    raw = bytes.fromhex(data.replace("SER", serial))
    return begun.heard(cjt188.frame(kind, address, control, raw, wake=0))


def water_talk() -> Talk:
    return WATER.read(WATER.blocks()[0])


def test_a_water_meter_is_read() -> None:
    found = values(heard(water_talk(), "1F90 SER" + READING))
    assert found == {
        "volume_forward": 5566.77,
        "volume_settled": 5566.77,
        "meter_clock": "2015-05-11T22:01:31",
        "valve": "closed",
        "battery_low": False,
        "meter_no": "78330011223344",
    }


def test_the_published_answer_is_believed_with_its_true_sum_only() -> None:
    body = bytes.fromhex("68104433221100337881161F900000776655 2C 00776655 2C 31012211051520 2184")
    finder = WATER.frames()
    assert finder.feed(body + b"\x08\x16") + finder.quiet() == []
    assert finder.feed(body + b"\x13\x16") == [body + b"\x13\x16"]
    begun = water_talk()
    while begun.ask().frame[-3] != 0:
        pass
    assert values(begun.heard(body + b"\x13\x16"))["volume_forward"] == 556677.0


NOT_THE_ANSWER = {
    "another kind": ("1F90 SER" + READING, 0x81, 0x11, "78330011223344"),
    "another meter": ("1F90 SER" + READING, 0x81, 0x10, "78330011223345"),
    "another item": ("2090 SER" + READING, 0x81, 0x10, "78330011223344"),
    "the other order": ("901F SER" + READING, 0x81, 0x10, "78330011223344"),
    "a request": ("1F90 SER", 0x01, 0x10, "78330011223344"),
    "another code": ("1F90 SER" + READING, 0x84, 0x10, "78330011223344"),
}


@pytest.mark.parametrize(("data", "control", "kind", "address"), NOT_THE_ANSWER.values(), ids=NOT_THE_ANSWER.keys())
def test_what_is_no_answer_of_a_water_meter_is_ignored(data: str, control: int, kind: int, address: str) -> None:
    assert isinstance(heard(water_talk(), data, control, kind, address), Foreign)


def test_an_unknown_unit_is_bad_and_a_known_one_is_turned() -> None:
    assert values(heard(water_talk(), "1F90 SER" + READING.replace("2C", "29")))["volume_forward"] == 5.56677
    assert values(heard(water_talk(), "1F90 SER" + READING.replace("2C", "05")))["volume_forward"] is None


def test_a_status_of_nothing_but_ones_is_no_status() -> None:
    found = values(heard(water_talk(), "1F90 SER" + READING[:-4] + "FFFF"))
    assert (found["valve"], found["battery_low"]) == (None, None)
    assert found["volume_forward"] == 5566.77


def test_a_water_meters_answer_of_another_length_is_refused() -> None:
    with pytest.raises(FrameError, match="19 bytes are expected"):
        heard(water_talk(), "1F90 SER" + READING + "00")


def test_a_water_meters_refusal() -> None:
    assert isinstance(heard(water_talk(), "SER 0000", 0xC1), Denied)
    begun = water_talk()
    begun.ask()
    earlier = begun.heard(
        cjt188.frame(0x10, "78330011223344", 0xC1, bytes((WATER.next_serial() - 2 & 0xFF, 0, 0)), wake=0)
    )
    assert isinstance(earlier, Foreign)
    assert earlier.late


def test_the_only_water_meter_is_asked_for_its_address() -> None:
    meter = Cjt188Station("w", Installed(), load("cjt188_water"))
    begun = meter.read(meter.blocks()[0])
    asked = cjt188.parse(begun.ask().frame[4:])
    assert (asked.address, asked.control) == (cjt188.ANYBODY, 0x03)
    answer = cjt188.frame(0x10, "78330011223344", 0x83, asked.data, wake=0)
    assert isinstance(begun.heard(answer), More)
    assert cjt188.parse(begun.ask().frame[4:]).address == "78330011223344"


def test_the_valve_is_confirmed_by_its_meter() -> None:
    begun = WATER.write("valve_control", "close", datetime(2026, 11, 22))
    assert heard(begun, "17A0 SER 0100", 0x84) == Said()
    with pytest.raises(FrameError, match="another length"):
        heard(begun, "17A0 SER 0100000000", 0x84)


RATIOS = meter_product(
    "points:\n"
    "  energy: {di: 0x00010000, length: 4, decimals: 2, times: [ct, pt], name: {zh: 电量, en: Energy}}\n"
    "  ct: {di: 0x04000306, length: 3, name: {zh: 变比, en: Ratio}, min: 1}\n"
    "  pt: {di: 0x04000307, length: 3, name: {zh: 变比, en: Ratio}, min: 1}\n"
)
CT, PT = "06030004", "07030004"


def behind(scale_by: dict[str, float] | None = None) -> Dlt645Station:
    return Dlt645Station("m", Installed(address=ADDRESS, scale_by=scale_by or {}), RATIOS)


def energy(of: Dlt645Station) -> object:
    return values(say(talk(of), 0x91, ENERGY + "50120000"))["energy"]


def test_a_meter_behind_transformers_is_not_known_until_its_ratios_are() -> None:
    meter = behind()
    assert [block.first for block in meter.blocks()] == [False, True, True]
    assert energy(meter) is None
    assert values(say(talk(meter, 0x04000306), 0x91, CT + "200000")) == {"ct": 20}
    assert energy(meter) is None
    assert values(say(talk(meter, 0x04000307), 0x91, PT + "010000")) == {"pt": 1}
    assert energy(meter) == 250.0
    say(talk(meter, 0x04000306), 0x91, CT + "400000")
    assert energy(meter) == 500.0
    # 0 is no ratio, and a meter that was away may be another one.
    say(talk(meter, 0x04000306), 0x91, CT + "000000")
    assert energy(meter) is None
    say(talk(meter, 0x04000306), 0x91, CT + "400000")
    meter.forget()
    assert energy(meter) is None


def test_what_the_site_file_says_of_the_ratios_wins() -> None:
    meter = behind({"ct": 100, "pt": 10})
    assert energy(meter) == 12_500.0
    say(talk(meter, 0x04000306), 0x91, CT + "200000")
    assert energy(meter) == 12_500.0


def test_a_single_phase_meter_is_connected_directly_until_the_site_says_a_ratio() -> None:
    def told(scale_by: dict[str, float]) -> object:
        meter = Dlt645Station("m", Installed(address=ADDRESS, scale_by=scale_by), load("dlt645_2007_single"))
        return values(say(talk(meter, 0x0001FF00), 0x91, "00FF0100" + "50120000" * 5))["energy_import"]

    assert told({}) == 12.5
    assert told({"ct": 40}) == 500.0
