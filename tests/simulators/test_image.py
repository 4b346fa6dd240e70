"""Every profile is simulated and read back by the drivers' own plan and decoder; writes mean what the profile says."""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Value
from drivers.modbus.decode import Decoder
from drivers.modbus.plan import Limits, plan, spans_of
from drivers.modbus.product import RegisterSource, told_factors
from drivers.profiles.files import load, load_all
from drivers.profiles.profile import Profile
from drivers.profiles.words import WIDTHS, Order
from simulators.actions import Action, CommandGiven, OutputPulsed, OutputSet, OutputToggled
from simulators.modbus.image import Image
from simulators.modbus.numbers import number_of, words_of
from simulators.modbus.slave import ModbusException, answer

MODBUS = sorted(id_ for id_, profile in load_all().items() if profile.protocol == "modbus")


def read_back(profile: Profile, image: Image) -> dict[str, Value]:
    """What the gateway's driver makes of the image's answers."""
    decoder = Decoder(profile, dict.fromkeys(profile.untold, 1.0))
    limits = Limits(profile.limits.registers, profile.limits.bits, profile.limits.gap)
    found: dict[str, Value] = {}
    # Multipliers may lie in a later block than the points that need them: the second round knows them.
    for block in [*plan(spans_of(profile), limits)] * 2:
        pdu = bytes((block.fc,)) + block.start.to_bytes(2, "big") + block.size.to_bytes(2, "big")
        said = answer(image, pdu)
        assert said[0] == block.fc, f"{profile.id} refuses {block}"
        found |= {worth.point: worth.value for worth in decoder.read(block, said[2:])}
    return found


def plausible(profile: Profile, salt: int) -> dict[str, Value]:
    """A value for every point that its register can hold exactly."""
    values: dict[str, Value] = {}
    own = {(told.fc, told.address) for told in told_factors(profile).values()}
    for place, point in enumerate(profile.points.values(), start=salt):
        source = point.source
        assert isinstance(source, RegisterSource)
        if point.type == "flag":
            values[point.id] = place % 3 == 0
        elif point.type == "label":
            labels = [label for raw, label in source.enum.items()]
            values[point.id] = labels[place % len(labels)]
        elif (source.fc, source.address) not in own:
            values[point.id] = round(((place * 7) % 90 + 1) * abs(source.scale) + max(0.0, source.offset), 6)
            if point.high is not None and point.high <= 2:
                values[point.id] = 0.5
    return values


@pytest.mark.parametrize(("profile_id", "salt"), list(itertools.product(MODBUS, (0, 1, 2))))
def test_every_profile_reads_back_what_was_simulated(profile_id: str, salt: int) -> None:
    profile = load(profile_id)
    values = plausible(profile, salt)
    raws = {"decimals": 3} if "decimals" in profile.multipliers else {}
    found = read_back(profile, Image(profile, values.get, lambda _: None, raws))
    assert set(found) == set(profile.points)
    own = {(told.fc, told.address) for told in told_factors(profile).values()}
    for name, value in values.items():
        source = profile.points[name].source
        assert isinstance(source, RegisterSource)
        if (source.fc, source.address) in own:
            continue
        expected = pytest.approx(value, rel=1e-6, abs=0.002) if isinstance(value, float) else value
        assert found[name] == expected, name


@given(
    st.sampled_from(["u16", "i16", "u32", "i32", "u64", "i64"]),
    st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"]),
    st.integers(-(2**63), 2**64 - 1),
)
def test_whole_numbers_come_back_or_stop_at_the_end_of_their_range(kind: str, order: Order, number: int) -> None:
    words = words_of(number, kind, order)
    bits = 16 * WIDTHS[kind]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.startswith("i") else (0, (1 << bits) - 1)
    if abs(number) < 2**52:
        assert number_of(words, kind, order) == min(high, max(low, number))
    assert len(words) == WIDTHS[kind]
    assert all(0 <= word <= 0xFFFF for word in words)


# 123456789.0 as f32 is 4C EB 79 A3 (IEEE 754, rounded to 123456792).
@pytest.mark.parametrize(
    ("order", "words"),
    [("ABCD", (0x4CEB, 0x79A3)), ("CDAB", (0x79A3, 0x4CEB)), ("BADC", (0xEB4C, 0xA379)), ("DCBA", (0xA379, 0xEB4C))],
)
def test_the_four_orders_of_a_float(order: Order, words: tuple[int, int]) -> None:
    assert tuple(words_of(123456789.0, "f32", order)) == words


def acts(profile_id: str, *pdus: str) -> tuple[list[Action], list[bytes]]:
    seen: list[Action] = []
    image = Image(load(profile_id), lambda _: False, seen.append)
    return seen, [answer(image, bytes.fromhex(pdu)) for pdu in pdus]


def about(value: float) -> float:
    return cast("float", pytest.approx(value))


WRITES: list[tuple[str, str, Any]] = [
    # Waveshare wiki: relay 0 on, off, on for 700 ms; relay 1 on for 800 ms.
    ("waveshare_relay8", "05 00 00 FF 00", OutputSet("relay_1", True)),
    ("waveshare_relay8", "05 00 00 00 00", OutputSet("relay_1", False)),
    ("waveshare_relay8", "05 02 00 00 07", OutputPulsed("relay_1", about(0.7))),
    ("waveshare_relay8", "05 02 01 00 08", OutputPulsed("relay_2", about(0.8))),
    ("waveshare_relay8", "05 00 02 55 00", OutputToggled("relay_3")),
    # ESP32-RYN4, hardware tests: on, off, turn over, 5 s on; registers from 0.
    ("ryn408f", "06 00 00 01 00", OutputSet("relay_1", True)),
    ("ryn408f", "06 00 01 02 00", OutputSet("relay_2", False)),
    ("ryn408f", "06 00 01 03 00", OutputToggled("relay_2")),
    ("ryn408f", "06 00 07 06 05", OutputPulsed("relay_8", 5.0)),
    ("came_gard_ptx", "05 00 01 FF 00", CommandGiven("open", None)),
    ("came_gard_ptx", "05 00 03 FF 00", CommandGiven("close", None)),
    ("grundfos_cim200", "06 00 64 00 01", CommandGiven("stop", None)),
    ("grundfos_cim200", "06 00 67 13 88", CommandGiven("setpoint", about(50.0))),
    ("invt_goodrive", "06 20 00 00 05", CommandGiven("control", "stop")),
]


@pytest.mark.parametrize(("profile_id", "pdu", "action"), WRITES, ids=[f"{w[0]} {w[1]}" for w in WRITES])
def test_a_write_means_what_the_profile_says(profile_id: str, pdu: str, action: Any) -> None:
    seen, said = acts(profile_id, pdu)
    assert seen == [action]
    assert said == [bytes.fromhex(pdu)]


def test_all_relays_at_once() -> None:
    seen, _ = acts("waveshare_relay8", "0F 00 00 00 08 01 FF")
    assert seen == [OutputSet(f"relay_{number}", True) for number in range(1, 9)]


@pytest.mark.parametrize(
    ("profile_id", "pdu", "refusal"),
    [
        ("elevator_monitor", "06 00 00 00 01", "86 02"),
        ("waveshare_relay8", "05 00 09 FF 00", "85 02"),
        ("waveshare_relay8", "05 00 00 12 34", "85 03"),
        ("invt_goodrive", "06 20 00 00 63", "86 03"),
        ("grundfos_cim200", "04 00 00 00 02", "84 02"),
        ("invt_goodrive", "03 21 04 00 01", "83 02"),
    ],
)
def test_what_a_product_does_not_have_it_refuses(profile_id: str, pdu: str, refusal: str) -> None:
    seen, said = acts(profile_id, pdu)
    assert seen == []
    assert said == [bytes.fromhex(refusal)]


def test_what_was_written_to_a_holding_register_is_read_there() -> None:
    _, said = acts("grundfos_cim200", "06 00 67 13 88", "03 00 67 00 01")
    assert said[1] == bytes.fromhex("03 02 13 88")


def test_a_relay_reads_back_as_one_and_not_as_the_word_that_switched_it() -> None:
    on: dict[str, bool] = {}

    def act(action: Action) -> None:
        if isinstance(action, OutputSet):
            on[action.output] = action.on

    board = Image(load("ryn408f"), lambda name: on.get(name, False), act)
    answer(board, bytes.fromhex("06 00 00 01 00"))
    assert answer(board, bytes.fromhex("03 00 00 00 02")) == bytes.fromhex("03 04 00 01 00 00")


def test_a_let_go_command_coil_means_nothing() -> None:
    seen, said = acts("came_gard_ptx", "05 00 01 00 00")
    assert seen == []
    assert said == [bytes.fromhex("05 00 01 00 00")]


def test_an_unknown_value_reads_as_the_products_own_mark_for_it() -> None:
    image = Image(load("grundfos_cim200"), lambda name: None if name == "flow" else False, lambda _: None)
    assert image.words(4, 301, 1) == [0xFFFF]
    with pytest.raises(ModbusException):
        image.words(4, 9000, 1)
