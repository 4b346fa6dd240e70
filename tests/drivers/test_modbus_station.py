"""One device's memory: only what changed is looked at, and nothing is missed by that."""

from __future__ import annotations

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Value
from drivers.modbus.station import Station
from drivers.pace import periods
from drivers.profiles.files import load
from tests.drivers.products import Installed, product

PRODUCT = product(
    "limits: {gap: 10}\n"
    "multipliers:\n  ct: {fc: 3, address: 2}\n"
    "points:\n"
    "  plain: {fc: 3, address: 0, group: meter, name: {zh: 甲, en: A}}\n"
    "  wide: {fc: 3, address: 3, type: u32, group: meter, name: {zh: 乙, en: B}}\n"
    "  scaled: {fc: 3, address: 1, times: [ct], group: meter, name: {zh: 丙, en: C}}\n"
    "inputs:\n  contact: {address: 9, group: meter, name: {zh: 丁, en: D}}\n"
    "  other: {address: 1, group: meter, name: {zh: 戊, en: E}}\n"
)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), st.floats(0.0, 0.6)),
        min_size=1,
        max_size=30,
    )
)
def test_what_was_told_is_always_what_the_device_says(steps: list[tuple[int, int, int, int, float]]) -> None:
    station = Station("d", Installed(), PRODUCT)
    bits, words = sorted(station.blocks(), key=lambda block: block.fc)
    told: dict[str, Value] = {}
    now = 0.0
    for plain, scaled, ct, contact, pause in steps:
        now += pause
        data = struct.pack(">5H", plain, scaled, ct, 0x0001, plain)
        for block, answer in ((words, data), (bits, bytes([0, contact] if bits.size > 8 else [contact]))):
            for reading in station.news(block, answer, now, 1000):
                told[reading.point] = reading.value
        assert told == {
            "d.plain": plain,
            "d.wide": 0x10000 + plain,
            "d.scaled": scaled * ct,
            "d.contact": bool(contact),
            "d.other": told["d.other"],
        }


@given(st.sampled_from([1, 20, 80]), st.sampled_from([10, 1000]))
def test_a_chint_meter_behind_transformers_tells_what_flows(ct: int, pt_tenths: int) -> None:
    chint = Station("m", Installed(), load("chint_dtsu666"))
    given_s = Station("m", Installed(scale_by={"ct": 5, "pt": 2}), load("chint_dtsu666"))
    secondary = {0x101E: 100.5, 0x2006: 2301.0, 0x200C: 1500.0, 0x2012: 3450.0}
    points = {"energy_import": 100.5, "voltage_l1": 230.1, "current_l1": 1.5, "power": 345.0}
    volts = {"voltage_l1": pt_tenths / 10, "current_l1": ct}

    def read(of: Station, *, ratios: bool) -> dict[str, Value]:
        told: dict[str, Value] = {}
        for block in sorted(of.blocks(), key=lambda block: block.first == ratios):
            words = bytearray(2 * block.size)
            for span in block.spans:
                at = 2 * (span.address - block.start)
                if span.address in {6, 7}:
                    words[at : at + 2] = struct.pack(">H", ct if span.address == 6 else pt_tenths)
                elif span.width == 2:
                    words[at : at + 4] = struct.pack(">f", secondary.get(span.address, 0.0))
            told |= {reading.point: reading.value for reading in of.news(block, bytes(words), 0.0, 1000)}
        return told

    before = read(chint, ratios=True)
    assert {before[f"m.{name}"] for name in points} == {None}, "no ratio was read yet"
    known = before | read(chint, ratios=False)
    for name, value in points.items():
        wanted = value * volts.get(name, ct * pt_tenths / 10)
        found = known.get(f"m.{name}")
        assert isinstance(found, float)
        assert math.isclose(found, wanted, rel_tol=1e-6)
    assert (known["m.ct"], known["m.pt"]) == (ct, pt_tenths / 10)
    fixed = read(given_s, ratios=True)
    assert math.isclose(float(fixed["m.energy_import"] or 0), 1005.0, rel_tol=1e-6)


def test_a_quiet_point_is_told_at_the_heartbeat() -> None:
    station = Station("d", Installed(), PRODUCT)
    words = next(block for block in station.blocks() if block.fc == 3)
    data = struct.pack(">5H", 1, 2, 3, 4, 5)
    told = [len(station.news(words, data, now / 10, 1000)) for now in range(330)]
    assert told[0] == 3
    assert sum(told) == 6


def test_after_a_refusal_the_same_bytes_are_news() -> None:
    station = Station("d", Installed(), PRODUCT)
    words = next(block for block in station.blocks() if block.fc == 3)
    data = struct.pack(">5H", 1, 2, 3, 4, 5)
    assert len(station.news(words, data, 0.0, 1000)) == 3
    assert {reading.quality for reading in station.refused(words, 0.1, 1000)} == {"bad"}
    assert len(station.news(words, data, 0.2, 1000)) == 3
    station.forget()
    assert len(station.news(words, data, 0.3, 1000)) == 3


def test_the_site_file_sets_the_pace() -> None:
    pump = load("grundfos_cim200")
    assert periods(pump, None) == {"alarm": 0.5, "normal": 2.0, "meter": 30.0}
    assert periods(pump, 0.2) == {"alarm": 0.2, "normal": 0.2, "meter": 30.0}
    assert periods(pump, 60.0) == {"alarm": 0.5, "normal": 60.0, "meter": 60.0}
