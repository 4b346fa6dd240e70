"""Asking along a line: late, damaged, echoed and crowded answers, on a line that a test plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from drivers.cjt188 import codec as cjt188
from drivers.cjt188.search import cjt188_asks, cjt188_hits
from drivers.dlt645 import codec as dlt645
from drivers.dlt645.search import dlt645_asks, dlt645_hits, shortened
from drivers.dlt698 import codec as dlt698
from drivers.dlt698.search import dlt698_asks, dlt698_hits
from drivers.mbus import codec as mbus
from drivers.mbus.search import mbus_asks, mbus_hits, selected_hits
from drivers.modbus.frames import read_pdu, rtu
from drivers.modbus.search import modbus_ask, modbus_hits
from drivers.osdp import codec
from drivers.osdp.search import one_by_one, osdp_asks, osdp_hits
from drivers.searching import Ask, Hit, Setting, address_of, distinct
from gateway.installer.scan.searching import Sweep, sweep

FAST = Setting(115200)
MBUS = (
    "683d3d6808017200512002824d0204008800000407000000000c15030000000b2e0000000b3b0000000a5a8812"
    "0a5e16050b61237700026c8c11022737" "0d0f60006716"
)  # fmt: skip
"""A heat meter's published telegram."""

VALUE = bytes.fromhex("0302002a")
Answers = Callable[[bytes], list[tuple[float, bytes]]]


class Line:
    """A line (`gateway.installer.wire.channels.Channel`) whose other end is a function: what is said, and how late."""

    name = "line"

    def __init__(self, answers: Answers) -> None:
        self.sent: list[bytes] = []
        self._answers = answers
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        for after_s, answer in self._answers(data):
            asyncio.get_running_loop().call_later(after_s, self._inbox.put_nowait, answer)

    async def hear(self, within_s: float | None) -> bytes:
        try:
            async with asyncio.timeout(within_s):
                return await self._inbox.get()
        except TimeoutError:
            return b""

    def clear(self) -> None:
        while not self._inbox.empty():
            self._inbox.get_nowait()

    def close(self) -> None: ...


def unit(number: int, after_s: float = 0.0, spoil: bool = False) -> Answers:
    """One Modbus unit that answers reads of one register."""

    def answers(asked: bytes) -> list[tuple[float, bytes]]:
        if asked[0] != number:
            return []
        answer = rtu(number, VALUE)
        return [(after_s, answer[:-1] + b"\x00" if spoil else answer)]

    return answers


async def swept(answers: Answers, asks: list[Ask], thinks_s: float = 0.02) -> tuple[Sweep, Line]:
    line, found = Line(answers), Sweep()
    async for _ in sweep(line, FAST, asks, thinks_s, found):
        pass
    return found, line


def addresses(found: Sweep) -> list[str]:
    return [address for _, address in found.hits]


UNITS = [modbus_ask(number) for number in range(1, 9)]


async def test_who_answers_is_found_and_timed() -> None:
    found, line = await swept(unit(3), UNITS)
    assert addresses(found) == ["3"]
    assert found.latency_s["modbus", "3"] < 0.1
    assert len(line.sent) == len(UNITS)
    assert found.unread == 0


async def test_a_late_answer_still_names_its_unit() -> None:
    found, _ = await swept(unit(3, after_s=0.06), UNITS)
    assert addresses(found) == ["3"]


async def test_a_damaged_answer_is_asked_for_again_and_told() -> None:
    found, line = await swept(unit(3, spoil=True), UNITS)
    assert addresses(found) == []
    assert found.unread > 1 and found.sample
    assert line.sent.count(modbus_ask(3).frame) == 2


async def test_an_adapter_that_hears_itself_is_no_device() -> None:
    found, _ = await swept(lambda asked: [(0.0, asked)], UNITS)
    assert addresses(found) == [] and found.unread == 0 and found.echo
    both, _ = await swept(lambda asked: [(0.0, asked), *unit(5)(asked)], UNITS)
    assert addresses(both) == ["5"]


async def test_a_refusal_is_somebody() -> None:
    found, _ = await swept(lambda asked: [(0.0, rtu(asked[0], b"\x83\x02"))] if asked[0] == 4 else [], UNITS)
    assert addresses(found) == ["4"]
    assert "exception 2" in found.hits["modbus", "4"].says.en


async def test_a_crowd_of_meters_is_asked_apart() -> None:
    meters = ["000000000112", "000000000212", "000000000134"]

    def line(asked: bytes) -> list[tuple[float, bytes]]:
        found = dlt645.frames().feed(asked)
        if not found or found[0][8] != dlt645.READ[2007]:
            return []
        wanted = found[0][1:7]
        there = [
            meter
            for meter in meters
            if all(byte in (0xAA, own) for byte, own in zip(wanted, dlt645.address_bytes(meter), strict=True))
        ]
        spoken = [dlt645.frame(meter, 0x91, bytes(8), wake=0) for meter in there]
        if len(spoken) > 1:
            return [(0.0, bytes(a & b for a, b in zip(spoken[0], spoken[1], strict=True)))]
        return [(0.0, frame) for frame in spoken]

    quick = [ask._replace(at_least_s=0.0) for ask in dlt645_asks([])]
    found, _ = await swept(line, quick, 0.001)
    assert addresses(found) == []
    crowd = next(ask for ask in found.crowded if ask.narrower is not None)
    assert crowd.narrower is not None
    pairs = [ask._replace(at_least_s=0.0) for ask in crowd.narrower()]
    assert len(pairs) == 100
    found, _ = await swept(line, pairs, 0.001)
    assert addresses(found) == ["000000000134"]
    assert [ask.named for ask in found.crowded] == ["12"]
    deeper = [ask._replace(at_least_s=0.0) for ask in shortened("12")]
    found, _ = await swept(line, deeper, 0.001)
    assert addresses(found) == ["000000000112", "000000000212"]
    assert shortened("0112") == []


async def test_mbus_meters_with_one_address_are_selected_digit_by_digit() -> None:
    meters = ["02205100824D0204", "02305100824D0207", "71305100824D0207"]
    chosen: set[str] = set()

    def line(asked: bytes) -> list[tuple[float, bytes]]:
        frame = mbus.parse(asked)
        if frame.data:
            mask = (frame.data[4:0:-1] + frame.data[5:9]).hex().upper()
            chosen.clear()
            chosen.update(meter for meter in meters if mbus.fits(mask, meter))
            return [(0.0, mbus.ACKNOWLEDGED)] if chosen else []
        there = chosen if frame.address == mbus.SELECTED else meters if frame.address in (0, 254) else []
        if frame.control == mbus.SND_NKE:
            return [(0.0, mbus.ACKNOWLEDGED)] if there else []
        told = [
            mbus.long(mbus.RSP_UD, 0, b"\x72" + mbus.secondary_bytes(meter) + b"\x01\0\0\0") for meter in sorted(there)
        ]
        if len(told) > 1:
            return [(0.0, bytes(a & b for a, b in zip(told[0], told[-1], strict=True)))]
        return [(0.0, frame) for frame in told]

    found, todo, sent = Sweep(), mbus_asks([0]), 0
    for _ in range(6):
        quick = [ask._replace(at_least_s=0.0) for ask in todo]
        sent += len(quick)
        async for _ in sweep(Line(line), FAST, quick, 0.001, found):
            pass
        crowd = [ask for ask in found.crowded if ask.narrower is not None and ask.named]
        found.crowded = []
        if not crowd or crowd[0].narrower is None:
            break
        todo = crowd[0].narrower()
    assert sorted(addresses(found)) == sorted(meters)
    assert sent < 60 and found.unread == 0
    assert address_of(found.hits["mbus", meters[0]]) == {"address": meters[0]}


async def test_an_object_meter_is_found_by_its_answer_whatever_it_says() -> None:
    told = dlt698.answer(0, {dlt698.ADDRESS_OAD: 3})

    def line(asked: bytes) -> list[tuple[float, bytes]]:
        frame = dlt698.parse(asked.lstrip(b"\xfe"))
        assert dlt698.asked(frame.apdu) == (0, [dlt698.ADDRESS_OAD])
        return [(0.0, dlt698.frame("000000314159", dlt698.ANSWER, told))] if frame.address == dlt698.ANYBODY else []

    found, _ = await swept(line, dlt698_asks([]))
    assert addresses(found) == ["000000314159"]


def test_an_mbus_meter_found_twice_is_one() -> None:
    raw = bytes.fromhex(MBUS)
    (by_address,), (by_number,) = mbus_hits(raw), selected_hits(raw)
    assert address_of(by_address) == {"unit": 1}
    assert distinct([by_address, by_number]) == [by_number]
    assert distinct([by_address]) == [by_address]
    assert by_number.says.en == "M-Bus heat meter (SLB, number 02205100)"


@pytest.mark.parametrize(
    ("find", "raw", "address", "traits"),
    [
        (modbus_hits, "010302002a", None, {}),
        (dlt645_hits, "fefefefe6837030092813968910833333433373333338c16", "398192000337", {"version": 2007}),
        (dlt645_hits, "68540713008013688106" + "43c3343333332b16", "138000130754", {"version": 1997}),
        (dlt645_hits, "683700009281396811043333343338" + "16", None, {}),
        (
            cjt188_hits,
            "68104433221100337881161f90007766552c007766552c31012211051520218413" + "16", None, {},
        ),
        (mbus_hits, MBUS, "1", {"identity": "02205100824D0204", "kind": "heat_meter"}),
        (selected_hits, MBUS, "02205100824D0204", {"identity": "02205100824D0204", "kind": "heat_meter"}),
        (mbus_hits, "e5", None, {}),
        (mbus_hits, "107b088316", None, {}),
        (dlt698_hits, "6817004305010000000000" + "1026f605010040010200" + "00ed0316", None, {}),
        (osdp_hits, "538114000545bebafe0101afbeaddeaddeade881", "1", {"reader": True}),
        (osdp_hits, "ff530108000460ba00", None, {}),
    ],
)  # fmt: skip
def test_answers_as_published(
    find: Callable[[bytes], list[Hit]], raw: str, address: str | None, traits: dict[str, object]
) -> None:
    hits = find(bytes.fromhex(raw))
    assert [hit.address for hit in hits] == ([] if address is None else [address])
    if address is not None:
        assert hits[0].traits == traits


def test_the_published_water_meter_with_its_right_sum() -> None:
    # The sum that is printed with this frame (08) is wrong; 13 is right.
    body = "68104433221100337881161f90000077665" + "52c0077665" + "52c31012211051520" + "2184"
    (hit,) = cjt188_hits(bytes.fromhex(body + "1316"))
    assert (hit.address, hit.traits) == ("78330011223344", {"type_code": 0x10, "di_order": "low-first"})
    assert cjt188_hits(bytes.fromhex(body + "0816")) == []


def test_questions_are_what_the_standards_say() -> None:
    assert modbus_ask(1, 3, 0, 2).frame == bytes.fromhex("010300000002c40b") == rtu(1, read_pdu(3, 0, 2))
    first = dlt645_asks([])[0]
    assert first.frame.endswith(bytes.fromhex("68aaaaaaaaaaaa681300df16"))
    assert bytes.fromhex("68aaaaaaaaaaaa681104" + "33333433" + "ae16") in dlt645_asks([])[1].frame
    assert all(ask.frame.count(b"\xaa" * 7) == 1 for ask in cjt188_asks([]))
    assert [ask.address for ask in osdp_asks([3, 5])] == ["", "3", "5"]
    assert len(one_by_one()) == 127
    polled = [codec.read(ask.frame) for ask in osdp_asks([1])]
    assert [(frame.address, frame.code, frame.reply) for frame in polled] == [
        (0x7F, codec.ID, False),
        (1, codec.ID, False),
    ]
    assert cjt188.ANYBODY == "A" * 14
