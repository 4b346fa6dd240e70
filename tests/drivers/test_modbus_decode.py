"""Registers to values and back: the specification's bytes, the four byte orders, and everything that is no value."""

from __future__ import annotations

import math
import struct
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Value
from drivers.changes import Worth
from drivers.modbus.decode import Decoder, bit_at, in_order, raw
from drivers.modbus.plan import Block, Limits, plan, spans_of
from drivers.modbus.product import RegisterSource
from drivers.profiles.files import load, load_all
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Order
from tests.drivers.products import product


def only_block(profile: Profile) -> Block:
    (block,) = plan(spans_of(profile), Limits(gap=124))
    return block


def read_one(body: str, data: bytes, scale_by: dict[str, float] | None = None) -> Worth:
    profile = product(body)
    return Decoder(profile, scale_by or {}).read(only_block(profile), data)[0]


def one(form: str) -> str:
    return f"points:\n  a: {{fc: 3, address: 0, name: {{zh: 甲, en: A}}, {form}}}\n"


VALUES: list[tuple[str, str, Value]] = [
    ("type: u16", "FFFE", 65534),
    ("type: i16", "FFFE", -2),
    ("type: u32", "0001 0002", 65538),
    ("type: u32, order: CDAB", "0002 0001", 65538),
    ("type: u32, order: BADC", "0100 0200", 65538),
    ("type: u32, order: DCBA", "0200 0100", 65538),
    ("type: i32", "FFFF FFFF", -1),
    ("type: u64", "0000 0000 0001 0000", 65536),
    ("type: u64, order: CDAB", "0000 0001 0000 0000", 65536),
    ("type: i64", "FFFF FFFF FFFF FFFE", -2),
    ("type: f32", "4366 199A", 230.1),
    ("type: f32, order: DCBA", "9A19 6643", 230.1),
    ("type: f64", "4028 0000 0000 0000", 12.0),
    ("type: u16, scale: 0.1", "007B", 12.3),
    ("type: u16, scale: 0.01, offset: -273.15", "7530", 26.85),
    ("type: u16, mask: 0xFF00", "1234", 0x12),
    ("type: u16, enum: {3: {label: three, zh: 三, en: three}}", "0003", "three"),
    ("type: u16, bits: {2: {point: a, zh: 甲, en: A}}", "0004", True),
    ("type: u16, bits: {2: {point: a, zh: 甲, en: A, active: 0}}", "0004", False),
]


@pytest.mark.parametrize(("form", "words", "value"), VALUES)
def test_values(form: str, words: str, value: Value) -> None:
    assert read_one(one(form), bytes.fromhex(words)) == Worth("a", value, "good")


NO_VALUES = [
    ("type: u16, invalid: [0xFFFF]", "FFFF"),
    ("type: u16, enum: {3: {label: three, zh: 三, en: three}}", "0004"),
    ("type: f32", "7FC0 0000"),
    ("type: f32", "7F80 0000"),
    ("type: u16, min: 0, max: 100", "0065"),
    ("type: i16, min: 0", "FFFF"),
    ("type: u16, invalid: [0xFFFF], bits: {0: {point: a, zh: 甲, en: A}}", "FFFF"),
]


@pytest.mark.parametrize(("form", "words"), NO_VALUES)
def test_no_values(form: str, words: str) -> None:
    assert read_one(one(form), bytes.fromhex(words)) == Worth("a", None, "bad")


def test_bits_come_lowest_first() -> None:
    # Modbus application protocol V1.1b3, 6.1: coils 20-38 answered with CD 6B 05, coil 27 (bit 7 of CD) is on.
    data = bytes.fromhex("CD6B05")
    assert [bit_at(data, at) for at in range(8)] == [1, 0, 1, 1, 0, 0, 1, 1]
    assert [bit_at(data, at) for at in range(16, 19)] == [1, 0, 1]


RATIOS = """
multipliers:
  pt: {fc: 3, address: 1}
  ct: {fc: 3, address: 2, values: {0: 1.0, 1: 100.0}}
points:
  a: {fc: 3, address: 0, scale: 0.01, times: [pt, ct], group: meter, name: {zh: 甲, en: A}}
"""


@pytest.mark.parametrize(
    ("words", "scale_by", "worth"),
    [
        ("0064 0001 0001", {}, Worth("a", 100.0, "good")),
        ("0064 0002 0000", {}, Worth("a", 2.0, "good")),
        ("0064 0000 0001", {}, Worth("a", None, "bad")),
        ("0064 0001 0007", {}, Worth("a", None, "bad")),
        ("0064 0000 0007", {"pt": 1, "ct": 40}, Worth("a", 40.0, "good")),
    ],
)
def test_multipliers(words: str, scale_by: dict[str, float], worth: Worth) -> None:
    assert read_one(RATIOS, bytes.fromhex(words), scale_by) == worth


def test_a_multiplier_is_not_remembered_over_an_absence() -> None:
    profile = product(RATIOS)
    decoder = Decoder(profile, {})
    block = only_block(profile)
    value = block._replace(size=1, spans=tuple(span for span in block.spans if span.key == "a"))
    assert decoder.read(value, bytes.fromhex("0064")) == [Worth("a", None, "bad")]
    decoder.read(block, bytes.fromhex("006400010001"))
    assert decoder.read(value, bytes.fromhex("0064")) == [Worth("a", 100.0, "good")]
    decoder.forget()
    assert decoder.read(value, bytes.fromhex("0064")) == [Worth("a", None, "bad")]


def test_the_level_is_metres_whatever_the_transmitter_measures_in() -> None:
    profile = load("generic_level_485")
    decoder = Decoder(profile, {})
    blocks = plan(spans_of(profile), Limits(gap=1))
    levels: list[Value] = []
    for unit, decimals, number in [(7, 2, 123), (1, 1, 98), (8, 0, 1230), (9, 0, 5)]:
        image = {2: unit, 3: decimals, 4: number, 5: 0, 6: 500}
        for block in sorted(blocks, key=lambda block: -block.size):
            data = b"".join(struct.pack(">h", image[block.start + at]) for at in range(block.size))
            for worth in decoder.read(block, data):
                if worth.point == "level":
                    levels.append(worth.value)
    assert levels[-1] is None
    assert {level for level in levels if isinstance(level, float)} >= {1.23, 0.9993256}


@given(st.binary(min_size=2, max_size=8).filter(lambda piece: len(piece) in {2, 4, 8}))
def test_each_order_undoes_itself(piece: bytes) -> None:
    for order in get_args(Order):
        assert in_order(in_order(piece, order), order) == piece


PROFILES = [profile for profile in load_all().values() if profile.protocol == "modbus"]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_every_profile_reads_back_what_a_simulated_device_holds(profile: Profile) -> None:
    """For each point a value that it can have is written into the device's image, then read through plan and decode."""
    image: dict[tuple[int, int], int] = {}
    scale_by = dict.fromkeys(profile.multipliers, 1.0)
    wanted: dict[str, Value] = {}
    for point in profile.points.values():
        assert isinstance(point.source, RegisterSource)
        wanted[point.id] = simulate(point, point.source, image)
    decoder = Decoder(profile, scale_by)
    form = profile.limits
    read: dict[str, Value] = {}
    for block in plan(spans_of(profile), Limits(form.registers, form.bits, form.gap)):
        for worth in decoder.read(block, answer(block, image)):
            assert worth.quality == "good", worth
            read[worth.point] = worth.value
    assert read.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, float):
            assert isinstance(read[name], int | float)
            assert math.isclose(float(read[name] or 0), value, rel_tol=1e-5, abs_tol=1e-9), name
        else:
            assert read[name] == value, name


def simulate(point: Point, source: RegisterSource, image: dict[tuple[int, int], int]) -> Value:
    place = (source.fc, source.address)
    if point.type == "flag":
        want = sum(map(ord, point.id)) % 2 == 0
        level = source.on if want else 1 - source.on
        image[place] = image.get(place, 0) & ~(1 << (source.bit or 0)) | level << (source.bit or 0)
        return want
    if source.enum:
        code, label = sorted(source.enum.items())[-1]
        image[place] = code
        return label
    low = point.low if point.low is not None else 0.0
    high = point.high if point.high is not None else low + 100.0
    number_raw = (low + (high - low) / 4 - source.offset) / source.scale
    formats = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f", "f64": "d"}
    number: float = number_raw if source.type in {"f32", "f64"} else round(number_raw)
    if source.mask is not None and source.width == 1:
        # The other bits of the register are other points.
        lowest = source.mask & -source.mask
        image[place] = image.get(place, 0) & ~source.mask | (int(number) * lowest & source.mask)
        return number * source.scale + source.offset
    piece = in_order(struct.pack(f">{formats[source.type]}", number), source.order)
    for at, word in enumerate(struct.unpack(f">{source.width}H", piece)):
        image[source.fc, source.address + at] = word
    assert raw(source, piece, 0) == pytest.approx(number, rel=1e-6)
    return number * source.scale + source.offset


def answer(block: Block, image: dict[tuple[int, int], int]) -> bytes:
    words = [image.get((block.fc, block.start + at), 0) for at in range(block.size)]
    if block.fc > 2:
        return struct.pack(f">{block.size}H", *words)
    packed = bytearray((block.size + 7) // 8)
    for at, bit in enumerate(words):
        packed[at // 8] |= bit << at % 8
    return bytes(packed)


# --- Only what changed is looked at

WIDE = """
points:
  a: {fc: 3, address: 0, name: {zh: 甲, en: A}}
  b: {fc: 3, address: 1, type: u32, order: CDAB, scale: 0.1, name: {zh: 乙, en: B}}
  c: {fc: 3, address: 3, type: f32, name: {zh: 丙, en: C}}
  d: {fc: 3, address: 5, invalid: [65535], name: {zh: 丁, en: D}}
  word:
    {fc: 3, address: 6, bits: {0: {point: e, zh: 戊, en: E}, 9: {point: f, zh: 己, en: F}}}
  g: {fc: 3, address: 7, min: 0, max: 10, name: {zh: 庚, en: G}}
inputs:
  h: {address: 3, name: {zh: 辛, en: H}}
  i: {address: 12, active: 0, name: {zh: 壬, en: I}}
"""


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.booleans())
def test_what_changed_is_what_differs_when_all_is_read(old: bytes, new: bytes, bits: bool) -> None:
    """For any two answers: the points whose value or quality differs are among those that are looked at again."""
    profile = product(WIDE)
    decoder = Decoder(profile, {})
    blocks = plan(spans_of(profile), Limits(bits=2000, gap=20))
    block = next(block for block in blocks if (block.fc == 2) == bits)
    size = (block.size + 7) // 8 if bits else 2 * block.size
    before, after = ({w.point: w for w in decoder.read(block, data[:size])} for data in (old, new))
    changed = decoder.worth(decoder.reader(block).changed(old[:size], new[:size]), new[:size])
    assert {worth.point for worth in changed} >= {name for name in after if str(before[name]) != str(after[name])}
    assert all(str(worth) == str(after[worth.point]) for worth in changed)
    assert decoder.reader(block).changed(old[:size], old[:size]) == []


@pytest.mark.parametrize(
    ("id", "point", "scale_by", "times"),
    [
        ("eastron_sdm630", "energy_import", {}, 1),
        ("eastron_sdm630", "energy_import", {"ct": 20}, 20),
        ("carlo_gavazzi_em24", "power", {"ct": 20, "pt": 100}, 2000),
        ("pzem_016", "current", {"ct": 20}, 20),
        ("abb_b_series", "power", {}, None),
        ("abb_b_series", "power", {"ct": 20}, 20),
        ("abb_b_series", "voltage_l1", {}, 1),
    ],
)
def test_what_a_site_says_of_transformers(id: str, point: str, scale_by: dict[str, float], times: float | None) -> None:
    """Values that are what flows are good as they come, and may be corrected; the others wait for the ratio."""
    source = load(id).points[point].source
    assert isinstance(source, RegisterSource)
    data = bytes.fromhex("42C80000") if source.type == "f32" else (100).to_bytes(2 * source.width, "big")
    data = in_order(data, source.order)
    decoder = Decoder(load(id), scale_by)
    block = next(each for each in plan(spans_of(load(id)), Limits()) if any(span.key == point for span in each.spans))
    whole = bytes(2 * block.size)
    at = 2 * (source.address - block.start)
    told = {each.point: each for each in decoder.read(block, whole[:at] + data + whole[at + len(data) :])}
    value = None if times is None else pytest.approx(100 * source.scale * times)
    assert (told[point].value, told[point].quality) == (value, "bad" if times is None else "good")
