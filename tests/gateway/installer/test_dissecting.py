"""Meters and readers understood by listening: published frames, whole and byte by byte."""

from __future__ import annotations

import pytest

from contract.speech import Speech
from drivers.cjt188 import codec as cjt188
from drivers.cjt188.listen import cjt188_message
from drivers.dlt645 import codec as dlt645
from drivers.dlt645.listen import dlt645_message
from drivers.dlt698 import codec as dlt698
from drivers.dlt698.listen import dlt698_message
from drivers.listening import Dissector, Seen
from drivers.mbus import codec as mbus
from drivers.mbus.listen import MbusTalk
from drivers.meters.listening import MeterDissector
from drivers.osdp.listen import OsdpDissector
from drivers.profiles.files import FOLDER, read
from gateway.installer.terminal.wording import lost

EN = Speech("en")
METERS = [read(path) for path in sorted((FOLDER / "meter").glob("dlt645*.yaml"))]
WATER = [read(path) for path in sorted((FOLDER / "meter").glob("cjt188*.yaml"))]

DLT645 = bytes.fromhex(
    "fefefefe68610100000000681104333334331416" "68610100000000689108333334335933333" "38a16"
)  # fmt: skip
CJT188 = bytes.fromhex(
    "fefefefe6810443322110033780103" "1f90008016"
    "68104433221100337881161f90000077665" "52c007766552c310122110515202184" "1316"
)  # fmt: skip
OSDP = bytes.fromhex("ff530108000460ba005381080004400806ff530109000561005014538114000545bebafe0101afbeaddeaddeade881")


def hear(dissector: Dissector, stream: bytes, step: int) -> list[Seen]:
    seen: list[Seen] = []
    for at in range(0, len(stream), step):
        seen += dissector.feed(stream[at : at + step], at / 1000)
    return seen + dissector.quiet()


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_an_electricity_meter(step: int) -> None:
    dissector = MeterDissector(dlt645.frames(), dlt645_message, {}, METERS, EN)
    asked, answered = hear(dissector, DLT645, step)
    assert (asked.way, asked.unit, asked.words) == ("ask", "000000000161", "read 10000")
    assert (answered.way, answered.fields["values"]) == ("answer", {"energy_import": 0.26})
    assert "0.26 kWh" in answered.words
    (tally,) = [tally for _, tally in dissector.tallies]
    assert (tally.asked, tally.answered, tally.silent, tally.damaged) == (1, 1, 0, 0)


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_a_water_meter(step: int) -> None:
    dissector = MeterDissector(cjt188.frames(), cjt188_message, {}, WATER, EN)
    asked, answered = hear(dissector, CJT188, step)
    assert (asked.unit, asked.words) == ("78330011223344", "read 901F")
    assert answered.fields["values"]["volume_forward"] == pytest.approx(556677.0)


MBUS = bytes.fromhex(
    "683d3d6808017200512002824d0204008800000407000000000c15030000000b2e0000000b3b0000000a5a8812"
    "0a5e16050b61237700026c8c11022737" "0d0f60006716"
)  # fmt: skip
HEAT = read(FOLDER / "meter" / "mbus_heat.yaml")


@pytest.mark.parametrize("step", [1, 5, 1000])
@pytest.mark.parametrize("known", [True, False])
def test_a_heat_meter_by_its_address(step: int, known: bool) -> None:
    devices = {"1": ("heat-1", HEAT)} if known else {}
    dissector = MeterDissector(mbus.frames(), MbusTalk(), devices, [], EN)
    seen = hear(dissector, mbus.reset(1) + mbus.ACKNOWLEDGED + mbus.request(1, fcb=True) + MBUS, step)
    assert [(each.way, each.unit) for each in seen] == [("ask", "1"), ("answer", "1"), ("ask", "1"), ("answer", "1")]
    assert [each.words for each in seen[:3]] == ["reset the link", "acknowledged", "read"]
    if known:
        assert seen[3].fields["values"]["return_temperature"] == pytest.approx(51.6)
    else:
        assert "02205100824D0204" in seen[3].words and "Volume 0.3 m3" in seen[3].words
    assert (dissector.tallies.units["1"].answered, dissector.tallies.units["1"].silent) == (2, 0)


def test_a_heat_meter_by_its_number() -> None:
    mask = mbus.secondary("02205100")
    dissector = MeterDissector(mbus.frames(), MbusTalk(), {mask: ("heat-1", HEAT)}, [], EN)
    talk = mbus.reset(253) + mbus.select("02205100") + mbus.ACKNOWLEDGED + mbus.request(253, fcb=True) + MBUS
    seen = hear(dissector, talk, 1000)
    assert [each.unit for each in seen] == ["253", mask, mask, mask, mask]
    assert seen[-1].fields["values"]["meter_no"] == "02205100"
    assert not any(tally.silent for _, tally in dissector.tallies)


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_an_object_meter_that_lacks_an_object(step: int) -> None:
    dissector = MeterDissector(dlt698.frames(), dlt698_message, {}, [], EN)
    asked = dlt698.frame("1", dlt698.REQUEST, dlt698.read([0x40010200], 0))
    told = dlt698.frame("1", dlt698.ANSWER, dlt698.answer(0, {0x40010200: 4}))
    seen = hear(dissector, asked + told, step)
    assert [(each.way, each.unit) for each in seen] == [("ask", "000000000001"), ("answer", "000000000001")]
    assert seen[0].words == "read 40010200" and "does not have this object" in seen[1].words
    assert dissector.tallies.units["000000000001"].refused == 1


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_a_reader(step: int) -> None:
    dissector = OsdpDissector({1: "door-in"}, EN)
    seen = hear(dissector, OSDP, step)
    assert [(each.way, each.fields["name"]) for each in seen] == [
        ("ask", "POLL"), ("answer", "ACK"), ("ask", "ID"), ("answer", "PDID"),
    ]  # fmt: skip
    assert seen[0].words.startswith("door-in POLL")
    assert dissector.tallies.units["1"].answered == 2


def test_a_wrong_sum_is_its_meters_damaged_answer() -> None:
    dissector = MeterDissector(dlt645.frames(), dlt645_message, {}, METERS, EN)
    seen = hear(dissector, DLT645[:-2] + b"\x00\x16", 1000)
    assert [each.way for each in seen] == ["ask", "odd"]
    assert dissector.tallies.units["000000000161"].damaged == 1
    assert not any("values" in each.fields for each in seen)


def test_a_refusal_of_a_meter_is_in_words() -> None:
    dissector = MeterDissector(dlt645.frames(), dlt645_message, {}, METERS, Speech("zh"))
    (seen,) = hear(dissector, dlt645.frame("000000000161", 0xD1, b"\x02"), 1000)
    assert "拒绝" in seen.words and "无请求数据" in seen.words


@pytest.mark.parametrize(
    ("why", "zh"),
    [
        ("unit 5 did not answer within 0.3 s", "地址 5 在 0.3 秒内没有应答"),
        ("10.0.0.1:502 cannot be opened: refused", "打不开 10.0.0.1:502: refused"),
        ("something else", "something else"),
    ],
)
def test_why_a_device_was_lost(why: str, zh: str) -> None:
    assert (lost(why, Speech("zh")), lost(why, EN)) == (zh, why)
