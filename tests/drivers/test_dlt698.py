"""DL/T 698.45: published bytes, what is believed of an answer, the package's own client and server on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from dlt698 import Client, ClientOptions, ConnectionProfile, Data, Server, ServerOptions, SessionOptions
from dlt698.codec import crc16, encode_apdu
from dlt698.model import Oad
from dlt698.protocol.apdu import ErrorResponse, SetResponse, SetResult
from dlt698.protocol.link import AddressType, ServerAddress
from hypothesis import given
from hypothesis import strategies as st

from config.site import Site
from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.dlt698 import codec as dlt698
from drivers.dlt698.station import Dlt698Station, Objects
from drivers.errors import FrameError
from drivers.meters.dialect import Denied, Foreign, More, Said, Talk, Verdict
from drivers.meters.wires import MeterTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.words import Poll
from simulators.meters.wires import MeterTcpWire
from simulators.site import SimSite
from tests.drivers.products import Installed, product
from tests.drivers.sinks import Heard

GOLDEN = bytes.fromhex("68 17 00 43 05 01 00 00 00 00 00 10 26 F6 05 01 00 40 01 02 00 00 ED 03 16")
"""Reads the address of the meter 000000000001, as it is printed all over the Chinese web."""

ADDRESS = "000000314159"
THREE_PHASE = load("dlt698_three_phase")
HEAD = """
id: probe
kind: electricity_meter
protocol: dlt698
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
points:
  energy: {oad: 0x00100200, element: 2, decimals: 2, unit: kWh, min: 0, max: 1000, name: {zh: 电, en: Energy}}
  frequency: {oad: 0x200F0200, decimals: 2, unit: Hz, name: {zh: 频, en: Frequency}}
  number: {oad: 0x40020200, form: digits, address: true, name: {zh: 号, en: Number}}
  clock: {oad: 0x40000200, form: clock, name: {zh: 钟, en: Clock}}
  asset: {oad: 0x41030200, form: text, name: {zh: 资, en: Asset}}
"""
PRODUCT = product("", HEAD)
OADS = (0x00100200, 0x200F0200, 0x40020200, 0x40000200, 0x41030200)
TOLD: dict[int, Data | int] = {
    OADS[0]: Data.array([Data.uint32(100), Data.uint32(12345)]),
    OADS[1]: Data.uint16(4998),
    OADS[2]: Data.octet_string(bytes.fromhex("000000271828")),
    OADS[3]: Data.date_time_s([0x07, 0xEA, 2, 3, 4, 5, 6]),
    OADS[4]: Data.visible_string("A-7"),
}
READ = {
    "energy": 123.45, "frequency": 49.98, "number": "000000271828", "clock": "2026-02-03T04:05:06", "asset": "A-7",
}  # fmt: skip


def station(address: str | None = ADDRESS) -> Dlt698Station:
    return Dlt698Station("m", Installed(address=address), PRODUCT)


def talk_of(meter: Dlt698Station) -> Talk:
    return meter.read(meter.blocks()[0])


def piid_of(talk: Talk) -> int:
    asked = dlt698.asked(dlt698.parse(talk.ask().frame[4:]).apdu)
    assert asked is not None
    return asked[0]


def say(talk: Talk, told: dict[int, Data | int], *, piid: int | None = None, address: str = ADDRESS) -> Verdict:
    apdu = dlt698.answer(piid_of(talk) if piid is None else piid, told)
    return talk.heard(dlt698.frame(address, dlt698.ANSWER, apdu, 0))


def values(verdict: Verdict) -> dict[str, object]:
    assert isinstance(verdict, Said)
    assert all((worth.value is None) == (worth.quality == "bad") for worth in verdict.worths)
    return {worth.point: worth.value for worth in verdict.worths}


def test_the_published_request() -> None:
    assert dlt698.frame("1", dlt698.REQUEST, dlt698.read([dlt698.ADDRESS_OAD], 0), 0) == GOLDEN
    assert dlt698.parse(GOLDEN)[:3] == ("000000000001", dlt698.REQUEST, dlt698.CLIENT)
    assert dlt698.asked(dlt698.parse(GOLDEN).apdu) == (0, [dlt698.ADDRESS_OAD])


def test_frames_are_found_byte_by_byte_two_at_once_and_between_noise() -> None:
    finder = dlt698.frames()
    stream = b"\xfe\xfe\x68\x02" + GOLDEN + GOLDEN + b"\x68"
    assert [frame for byte in stream for frame in finder.feed(bytes((byte,)))] == [GOLDEN, GOLDEN]
    assert dlt698.frames().feed(stream) == [GOLDEN, GOLDEN]


@given(at=st.integers(0, len(GOLDEN) - 1), flip=st.integers(1, 255))
def test_a_damaged_frame_is_never_found(at: int, flip: int) -> None:
    spoilt = bytearray(GOLDEN)
    spoilt[at] ^= flip
    finder = dlt698.frames()
    assert finder.feed(bytes(spoilt)) + finder.quiet() == []


@pytest.mark.parametrize("raw", [b"", GOLDEN[:-1], GOLDEN[1:], b"\x68" * 30])
def test_what_is_no_frame_is_not_parsed(raw: bytes) -> None:
    with pytest.raises(FrameError):
        dlt698.parse(raw)


def test_an_address_must_be_digits() -> None:
    with pytest.raises(ValueError, match="no address"):
        dlt698.frame("1234567890123", dlt698.REQUEST, b"", 0)


def test_every_form_is_read() -> None:
    assert values(say(talk_of(station()), TOLD)) == READ


BAD: dict[str, tuple[int, Data | int]] = {
    "denied": (0, 3),
    "no such element": (0, Data.array([Data.uint32(1)])),
    "no array": (0, Data.uint32(5)),
    "null in it": (0, Data.array([Data.uint32(1), Data.null()])),
    "above its range": (0, Data.array([Data.uint32(1), Data.uint32(0xFFFFFFFF)])),
    "text": (0, Data.array([Data.uint32(1), Data.visible_string("5")])),
    "null": (1, Data.null()),
    "an array": (1, Data.array([Data.uint16(4998)])),
    "true": (1, Data.boolean(True)),
    "an enumeration": (1, Data.enumeration(1)),
    "a float": (1, Data.float32(49.98)),
    "any time": (3, Data.date_time_s([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])),
    "no day": (3, Data.date_time_s([0x07, 0xEA, 2, 30, 4, 5, 6])),
    "octets": (4, Data.octet_string(b"A-7")),
}


@pytest.mark.parametrize(("which", "data"), BAD.values(), ids=BAD.keys())
def test_what_is_not_meant_is_bad_and_the_others_are_read(which: int, data: Data | int) -> None:
    said = values(say(talk_of(station()), TOLD | {OADS[which]: data}))
    name = list(READ)[which]
    assert said[name] is None
    assert {word: value for word, value in said.items() if word != name} == {
        word: value for word, value in READ.items() if word != name
    }


def test_a_meter_without_number_is_known_by_its_address() -> None:
    assert values(say(talk_of(station()), TOLD | {OADS[2]: 4}))["number"] == ADDRESS
    assert values(say(talk_of(station()), TOLD | {OADS[2]: Data.octet_string(b"\xab")}))["number"] == ADDRESS


def test_only_the_answer_to_this_question_counts() -> None:
    talk = talk_of(station())
    number = piid_of(talk)
    assert say(talk, TOLD, piid=(number + 63) % 64) == Foreign("an answer to an earlier question", late=True)
    assert isinstance(say(talk, TOLD, piid=number, address="000000314160"), Foreign)
    told = dlt698.answer(number, TOLD)
    assert isinstance(talk.heard(dlt698.frame(ADDRESS, dlt698.REQUEST, told, 0)), Foreign)
    to_another = bytearray(dlt698.frame(ADDRESS, dlt698.ANSWER, told, 0))
    to_another[11] = 0x20  # the client, and both sums after it
    to_another[12:14] = crc16(bytes(to_another[1:12])).to_bytes(2, "little")
    to_another[-3:-1] = crc16(bytes(to_another[1:-3])).to_bytes(2, "little")
    assert isinstance(talk.heard(bytes(to_another)), Foreign)
    assert values(say(talk, TOLD, piid=number)) == READ


def test_numbers_of_requests_run_round() -> None:
    meter = station()
    assert [piid_of(talk_of(meter)) for _ in range(65)] == [*range(1, 64), 0, 1]


def test_an_answer_must_tell_all_that_was_asked_for() -> None:
    with pytest.raises(FrameError, match="an answer without 41030200"):
        say(talk_of(station()), {oad: data for oad, data in TOLD.items() if oad != OADS[4]})


CONFIRMATION = SetResponse(piid_acd=1, attributes=[SetResult(attribute=Oad(oi=0x2000, attribute=2), dar=0)])
REFUSED: dict[str, Callable[[int], tuple[int, bytes]]] = {
    "a confirmation": lambda _: (dlt698.ANSWER, encode_apdu(CONFIRMATION)),
    "pieces": lambda piid: (dlt698.ANSWER | 0x20, dlt698.answer(piid, TOLD)),
    "no APDU": lambda _: (dlt698.ANSWER, b"\x85\x09\x00"),
    "a request": lambda piid: (dlt698.ANSWER, dlt698.read(OADS, piid)),
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED.keys())
def test_other_answers_are_refused(made: Callable[[int], tuple[int, bytes]]) -> None:
    talk = talk_of(station())
    control, apdu = made(piid_of(talk))
    with pytest.raises(FrameError):
        talk.heard(dlt698.frame(ADDRESS, control, apdu, 0))


def test_a_refusal_leads_to_each_attribute_alone() -> None:
    meter, refusal = station(), encode_apdu(ErrorResponse(piid=1, type=2, server=True))
    talk = talk_of(meter)
    talk.ask()
    assert isinstance(talk.heard(dlt698.frame(ADDRESS, dlt698.ANSWER, refusal, 0)), Denied)
    parts = meter.parts(meter.blocks()[0])
    assert [list(part.points) for part in parts if isinstance(part, Objects)] == [[oad] for oad in OADS]
    assert meter.parts(parts[0]) == ()
    alone = meter.read(parts[1])
    assert values(say(alone, {OADS[1]: Data.uint16(5001)})) == {"frequency": 50.01}
    assert {worth.point: worth.value for worth in meter.denied(parts[2])} == {"number": ADDRESS}


def test_a_refusal_of_an_earlier_request_refuses_nothing() -> None:
    meter, refusal = station(), encode_apdu(ErrorResponse(piid=1, type=2, server=True))
    talk_of(meter).ask()
    talk = talk_of(meter)
    talk.ask()
    verdict = talk.heard(dlt698.frame(ADDRESS, dlt698.ANSWER, refusal, 0))
    assert isinstance(verdict, Foreign)
    assert verdict.late


def test_the_only_meter_is_asked_for_its_address_and_held_to_it() -> None:
    meter = station(None)
    talk = talk_of(meter)
    found = Data.octet_string(bytes.fromhex(ADDRESS))
    assert dlt698.parse(talk.ask().frame[4:]).address == dlt698.ANYBODY
    with pytest.raises(FrameError, match="another one"):
        say(talk, {dlt698.ADDRESS_OAD: found}, address="000000000009")
    assert say(talk, {dlt698.ADDRESS_OAD: found}) == More()
    assert dlt698.parse(talk.ask().frame[4:]).address == ADDRESS
    assert isinstance(say(talk, TOLD, address="000000000009"), Foreign)
    meter.forget()
    assert dlt698.parse(talk_of(meter).ask().frame[4:]).address == dlt698.ANYBODY


def test_no_commands() -> None:
    with pytest.raises(CommandFailed, match="takes no command"):
        station().write("energy", 1, datetime(2026, 1, 1))


FAULTY = {
    "digits with decimals": ("form: digits,", "form: digits, decimals: 2,", "belong to a number"),
    "element twice": ("0x00100200, element", "0x00100201, element", "names the element already"),
    "an address that is a number": ("form: clock", "form: clock, address: true", "read as digits"),
}


@pytest.mark.parametrize(("old", "new", "told"), FAULTY.values(), ids=FAULTY.keys())
def test_mistakes_of_a_profile(old: str, new: str, told: str) -> None:
    assert HEAD.count(old) == 1
    with pytest.raises(Exception, match=told):
        product("", HEAD.replace(old, new))


def session() -> SessionOptions:
    octets = bytes.fromhex(ADDRESS)[::-1]
    return SessionOptions(server=ServerAddress(bytes=octets, logical=0, type=AddressType.single), client_address=0x10)


async def test_the_packages_server_is_read() -> None:
    server = Server(options=ServerOptions(protocol=session()))
    server.set(Oad(oi=0x2000, attribute=2, index=0), Data.array([Data.uint16(each) for each in (2301, 2302, 2303)]))
    server.set(Oad(oi=0x200F, attribute=2, index=0), Data.uint16(4998))
    server.set(Oad(oi=0x4002, attribute=2, index=0), Data.octet_string(bytes.fromhex("000000271828")))
    server.start_tcp("127.0.0.1", 0, ConnectionProfile.local_preset)
    config = MeterTcpBus(kind="meter-tcp", host="127.0.0.1", port=server.local_port, baud=115200, timeout_s=2)
    profile = replace(THREE_PHASE, poll=Poll(alarm=0.1, normal=0.1, meter=0.1))
    heard = Heard()
    # Its table has no transformers' ratios.
    installed = Installed(address=ADDRESS, scale_by={"ct": 20, "pt": 10})
    bus = open_bus("line", config, {"meter": (installed, profile)}, sink=heard, clock=lambda: 1_700_000_000_000)
    running = asyncio.create_task(bus.run())
    try:
        expected: dict[str, Value] = {"voltage_l2": 2302.0, "frequency": 49.98, "meter_no": "000000271828"}
        for word, value in expected.items():
            await heard.until_value(f"meter.{word}", value)
        await heard.until(lambda: heard.last("meter.energy_import") is not None)
        missing = heard.last("meter.energy_import")
        assert missing is not None
        assert missing.quality == "bad", "the server has no such value"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(server.close)


def _asked_by_the_package(port: int) -> dict[str, object]:
    client = Client(ClientOptions(protocol=session()))
    client.connect_tcp("127.0.0.1", port, ConnectionProfile.local_preset)
    try:
        voltages = client.get(Oad(oi=0x2000, attribute=2, index=0)).require_data().value
        assert isinstance(voltages, list)
        return {
            "voltages": [each.value for each in voltages if isinstance(each, Data)],
            "number": client.get(Oad(oi=0x4002, attribute=2, index=0)).require_data().value,
            "unknown": client.get(Oad(oi=0x0050, attribute=2, index=0)).dar,
        }
    finally:
        client.request_disconnect()


async def test_the_packages_client_reads_our_meter() -> None:
    document = {
        "site": "yard",
        "name": {"zh": "院", "en": "Yard"},
        "gateway": "yard-gw",
        "buses": {"line": {"kind": "meter-tcp", "host": "127.0.0.1", "port": 1}},
        "devices": {"meter": {"profile": THREE_PHASE.id, "bus": "line", "address": ADDRESS, "meter_no": "271828"}},
    }
    site = SimSite(Site.model_validate(document), {THREE_PHASE.id: THREE_PHASE})
    for phase, volts in enumerate((230.1, 229.4, 231.7), start=1):
        site.set_point("meter", f"voltage_l{phase}", volts)
    wire = MeterTcpWire("line", site.site.buses["line"], site, paced=False)  # type: ignore[arg-type]
    entry = await wire.open({})
    try:
        found = await asyncio.wait_for(asyncio.to_thread(_asked_by_the_package, entry["port"]), 30)
    finally:
        await wire.close()
    assert found == {"voltages": [2301, 2294, 2317], "number": bytes.fromhex("271828"), "unknown": 4}
