"""The owner of a line with M-Bus meters on a real socket: repeated requests, selections, answers that come late."""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import FrameError
from drivers.mbus import codec as mbus
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused
from tests.drivers.meters import Answers, Line, owned, quick
from tests.drivers.products import Installed, product
from tests.drivers.sinks import Heard

HEAD = """
id: probe
kind: heat_meter
protocol: mbus
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
points:
  heat: {quantity: energy, unit: kWh, name: {zh: 热, en: Heat}}
  settled: {quantity: energy, storage: 1, unit: kWh, name: {zh: 结, en: Settled}}
"""
PRODUCT = quick(product("", HEAD))
ACK = b"\xe5"
SECONDARY = "02205100824D0204"


def telegram(records: str, address: int = 5, identity: str = SECONDARY) -> bytes:
    head = b"\x72" + mbus.secondary_bytes(identity) + bytes((7, 0, 0, 0))
    return mbus.long(mbus.RSP_UD, address, head + bytes.fromhex(records))


def spoilt(frame: bytes) -> bytes:
    return frame[:-3] + bytes((frame[-3] ^ 1,)) + frame[-2:]


def on_line(
    answers: Callable[[bytes], Answers], **installed: object
) -> tuple[Line, dict[str, tuple[Installed, Profile]]]:
    devices = {"m": (Installed(**({"unit": 5} | installed)), PRODUCT)}  # type: ignore[arg-type]
    return Line(mbus.frames(), answers), devices


async def test_a_damaged_telegram_is_asked_for_again_with_the_same_fcb() -> None:
    asked: list[bytes] = []

    def answers(frame: bytes) -> Answers:
        asked.append(frame)
        if frame == mbus.reset(5):
            return [(0, ACK)]
        if frame == mbus.request(5, fcb=True):
            return [(0, telegram("04 06 05000000 1F"))]
        last = telegram("44 06 06000000")
        return [(0, spoilt(last) if asked.count(frame) == 1 else last)]

    line, devices = on_line(answers)
    heard = Heard()
    async with owned(line, devices, heard):
        await heard.until_value("m.settled", 6)
        assert [reading.value for reading in heard.readings("m.heat")] == [5]
    assert asked[:4] == [mbus.reset(5), mbus.request(5, fcb=True), *2 * [mbus.request(5, fcb=False)]]
    assert len(heard.of(InputRefused)) == 1


async def test_a_telegram_that_stays_damaged_is_never_read_and_the_meter_is_lost() -> None:
    line, devices = on_line(lambda frame: [(0, ACK if frame == mbus.reset(5) else spoilt(telegram("04 06 05000000")))])
    heard = Heard()
    async with owned(line, devices, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.readings("m.heat") == []


async def test_a_meter_is_selected_though_nobody_answers_the_deselection() -> None:
    def answers(frame: bytes) -> Answers:
        if frame == mbus.select("02205100"):
            return [(0, ACK)]
        return [(0, telegram("04 06 05000000"))] if frame == mbus.request(253, fcb=True) else []

    line, devices = on_line(answers, address="02205100")
    heard = Heard()
    async with owned(line, devices, heard):
        await heard.until_value("m.heat", 5)
        assert heard.of(DeviceFound)
        assert heard.of(InputRefused) == []
    assert line.asked[:3] == [mbus.reset(253), mbus.select("02205100"), mbus.request(253, fcb=True)]


async def test_another_meter_that_was_selected_too_is_not_believed() -> None:
    def answers(frame: bytes) -> Answers:
        if frame in (mbus.select("02205100"), mbus.reset(253)):
            return [(0, ACK)]
        return [(0, telegram("04 06 05000000", identity="02205101824D0204"))]

    line, devices = on_line(answers, address="02205100")
    heard = Heard()
    async with owned(line, devices, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.readings("m.heat") == []


async def test_late_telegrams_of_one_meter_are_never_another_ones() -> None:
    """Each telegram of meter 5 comes after its time-out, while 6 is being asked."""

    def answers(frame: bytes) -> Answers:
        try:
            asked = mbus.parse(frame)
        except FrameError:
            return []
        late = 0.15 if asked.address == 5 else 0.0
        if asked.control == mbus.SND_NKE:
            return [(0, ACK)]
        return [(late, telegram(f"04 06 0{asked.address}000000", address=asked.address))]

    line, devices = on_line(answers)
    devices["other"] = (Installed(unit=6), PRODUCT)
    heard = Heard()
    async with owned(line, devices, heard):
        await heard.until(lambda: "m" in [report.device for report in heard.of(DeviceLost)])
        await line.until(lambda: line.asked.count(mbus.request(6, fcb=True)) > 20)
        assert {reading.value for reading in heard.readings("other.heat")} == {6}
        assert {reading.value for reading in heard.readings("m.heat")} <= {5}


async def test_a_meter_that_only_reports_errors_is_there_and_has_no_values() -> None:
    line, devices = on_line(lambda frame: [(0, ACK if frame == mbus.reset(5) else mbus.long(8, 5, b"\x70\x08"))])
    heard = Heard()
    async with owned(line, devices, heard):
        await heard.until(lambda: heard.last("m.heat") is not None)
        last = heard.last("m.heat")
        assert last is not None
        assert (last.value, last.quality) == (None, "bad")
        assert heard.of(DeviceLost) == []
