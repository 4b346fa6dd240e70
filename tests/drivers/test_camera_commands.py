"""What a 臻识 camera can be told in answers, when it is told, and what becomes of a command that nobody fetches."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.bus import CommandFailed
from drivers.camera import board, fetched
from drivers.camera.dialects import Said
from drivers.camera.fetched import handed
from drivers.camera.plates import Pushed
from drivers.camera.push.bus import PushBus
from drivers.camera.zhenshi import AnswerCommand, Show, answer, parse
from drivers.errors import FrameError
from drivers.profiles.files import load
from drivers.reports import PointsRead
from tests.drivers.sinks import Heard
from tests.drivers.test_camera import push

HEARTBEAT = b'{"heartbeat": 1, "serialno": "fe71"}'


# --- Answers

# command → what the camera is told (sections 2.6.1, 2.6.4 and 2.6.6 of the vendor's document)
COMMANDS: list[tuple[AnswerCommand, dict[str, Any]]] = [
    (AnswerCommand("open"), {"info": "ok", "is_pay": "true"}),
    (AnswerCommand("capture"), {"info": "no", "manualTrigger": "ok"}),
    (AnswerCommand("pulse", 1, 0.5), {"info": "no", "ivs_ioctrl": {"delay": 500, "io": 1, "value": 2}}),
    (AnswerCommand("pulse", 0, 9000), {"ivs_ioctrl": {"delay": 600_000, "io": 0, "value": 2}}),
    (AnswerCommand("on", 2), {"info": "no", "ivs_ioctrl": {"delay": 500, "io": 2, "value": 1}}),
    (AnswerCommand("off", 3), {"info": "no", "ivs_ioctrl": {"delay": 500, "io": 3, "value": 0}}),
]


@pytest.mark.parametrize(("command", "told"), COMMANDS)
def test_commands(command: AnswerCommand, told: dict[str, Any]) -> None:
    said = answer(command=command)["Response_AlarmInfoPlate"]
    assert said["content"] == "retransfer_stop"
    assert {name: said[name] for name in told} == told


def test_an_answer_names_the_read_and_lets_the_next_stored_one_come() -> None:
    fresh = answer(pushed=parse("cam", push()))["Response_AlarmInfoPlate"]
    assert fresh["plateid"] == 21085
    assert "ContinuePushOffline" not in fresh
    stored = parse("cam", push(isoffline=1))
    for goes_on in (True, False):
        said = answer(pushed=stored, goes_on=goes_on)["Response_AlarmInfoPlate"]
        assert said["ContinuePushOffline"] == {"plateid": 21085, "continue": int(goes_on)}


def test_what_is_shown_and_said() -> None:
    frames = (board.line(0, "沪A12345"), board.voice("欢迎光临"))
    said = answer(show=Show(1, frames, "欢迎光临"))["Response_AlarmInfoPlate"]
    told = [(one["serialChannel"], base64.b64decode(one["data"]), one["dataLen"]) for one in said["serialData"]]
    assert told == [(1, frame, len(frame)) for frame in frames]
    voice = said["playserver_json_request"]
    assert (voice["type"], base64.b64decode(voice["voice"]).decode()) == ("ps_voice_play", "欢迎光临")


# --- Inputs


def gio(source: Any, value: Any) -> bytes:
    trigger = {"TriggerResult": {"source": source, "value": value}}
    return json.dumps({"AlarmGioIn": {"deviceName": "IVS", "result": trigger, "serialno": "d85b"}}).encode()


def test_inputs_are_told_by_their_number() -> None:
    assert parse("cam", gio(3, 1)) == Pushed(inputs={"input_4": True})
    assert parse("cam", gio(0, 0)) == Pushed(inputs={"input_1": False})
    assert parse("cam", gio(4, 1)) == Pushed()  # a trigger over TCP
    for source, value in ((5, 1), (0, 2), (-1, 0)):
        with pytest.raises(FrameError, match="expected"):
            parse("cam", gio(source, value))


async def test_an_input_is_a_reading_where_the_profile_has_it() -> None:
    async with cameras() as (bus, heard):
        bus.receive("cam-io", gio(1, 1), "application/json")
        bus.receive("cam", gio(1, 1), "application/json")
        [report] = heard.of(PointsRead)
        [reading] = report.readings
        assert (reading.point, reading.value, reading.quality, reading.at) == ("cam-io.input_2", True, "good", 7)


def test_serial_data_and_snapshots_are_no_reads() -> None:
    for said in ({"SerialData": {"data": "Y2gu", "serialno": "x"}}, {"TriggerImage": {"imageFile": ""}}):
        assert parse("cam", json.dumps(said).encode()) == Pushed()


# --- When a command is fetched


@asynccontextmanager
async def cameras() -> AsyncIterator[tuple[PushBus, Heard]]:
    heard = Heard()
    profiles = {
        "cam": load("zhenshi_plate_camera"),
        "cam-io": load("zhenshi_plate_camera_io"),
        "hik": load("hikvision_anpr"),
    }
    bus = PushBus("cameras", profiles, sink=heard, clock=lambda: 7)
    task = asyncio.create_task(bus.run())
    try:
        yield bus, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def beat(bus: PushBus, camera: str = "cam", body: bytes = HEARTBEAT) -> AnswerCommand | None:
    """One push of a camera, answered; the command in the answer."""
    pushed = bus.receive(camera, body, "application/json")
    given = await bus.fetch(camera, pushed)
    bus.answer(camera, Said(pushed, command=None if given is None else given.command))
    bus.answered(camera, pushed)
    if given is not None:
        handed(given)
    return None if given is None else given.command


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.push.bus.HOLD_S", 0.02)


@pytest.mark.usefixtures("hold")
async def test_a_command_goes_out_with_the_next_answer_and_only_once() -> None:
    async with cameras() as (bus, _):
        assert await beat(bus) is None
        opening = asyncio.create_task(bus.write("cam", "open", True, within_s=30))
        await asyncio.sleep(0)
        assert await beat(bus) == AnswerCommand("open")
        await opening
        assert await beat(bus) is None


async def test_a_camera_that_is_kept_waiting_is_answered_as_soon_as_somebody_commands_it() -> None:
    async with cameras() as (bus, _):
        await beat(bus)
        held = asyncio.create_task(beat(bus))
        await asyncio.sleep(0)
        await bus.pulse("cam", "output_2", 0.5, within_s=30)
        assert await held == AnswerCommand("pulse", 1, 0.5)


async def test_a_command_rides_on_the_answer_to_a_read_too() -> None:
    async with cameras() as (bus, _):
        switching = asyncio.create_task(bus.write("cam", "output_1", True, within_s=30))
        await asyncio.sleep(0)
        assert await beat(bus, body=push()) == AnswerCommand("on", 0)
        await switching


@pytest.mark.usefixtures("hold")
async def test_a_camera_that_beats_slowly_is_given_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "COMET_GAP_S", 0.0)  # every pause is too long
    async with cameras() as (bus, _):
        await beat(bus)
        opening = asyncio.create_task(bus.write("cam", "open", True, within_s=0.05))
        await asyncio.sleep(0)
        assert await beat(bus) is None
        with pytest.raises(CommandFailed) as failure:
            await opening
        assert "comet" in failure.value.why.en
        assert "comet" in failure.value.why.zh


@pytest.mark.usefixtures("hold")
async def test_a_camera_that_hung_up_gets_the_command_when_it_asks_again() -> None:
    async def gone() -> bool:
        return True

    async with cameras() as (bus, _):
        await beat(bus)
        opening = asyncio.create_task(bus.write("cam", "open", True, within_s=30))
        await asyncio.sleep(0)
        assert await bus.fetch("cam", bus.receive("cam", HEARTBEAT, "application/json"), gone) is None
        assert await beat(bus) == AnswerCommand("open")
        await opening


@pytest.mark.usefixtures("hold")
async def test_a_stale_command_is_never_carried_out() -> None:
    async with cameras() as (bus, _):
        await beat(bus)
        with pytest.raises(CommandFailed):
            await bus.write("cam", "open", True, within_s=0.01)
        assert await beat(bus) is None


async def test_one_command_waits_at_a_time() -> None:
    async with cameras() as (bus, _):
        first = asyncio.create_task(bus.write("cam", "open", True, within_s=30))
        await asyncio.sleep(0)
        with pytest.raises(CommandFailed, match="before"):
            await bus.write("cam", "capture", True, within_s=30)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        again = asyncio.create_task(bus.write("cam", "capture", True, within_s=30))
        await asyncio.sleep(0)
        assert await beat(bus, body=push()) == AnswerCommand("capture")
        await again


async def test_an_answer_that_never_went_out_is_no_success() -> None:
    async with cameras() as (bus, _):
        opening = asyncio.create_task(bus.write("cam", "open", True, within_s=0.05))
        await asyncio.sleep(0)
        pushed = bus.receive("cam", push(), "application/json")
        assert await bus.fetch("cam", pushed) is not None
        with pytest.raises(CommandFailed, match="not known"):
            await opening
        assert await bus.fetch("cam", pushed) is None


@pytest.mark.parametrize(
    ("camera", "point", "value"),
    [("hik", "open", True), ("cam", "input_1", True), ("cam", "output_9", True), ("cam", "output_1", "on")],
)
async def test_what_cannot_be_commanded_fails_in_words(camera: str, point: str, value: Any) -> None:
    async with cameras() as (bus, _):
        with pytest.raises(CommandFailed) as failure:
            await bus.write(camera, point, value, within_s=1)
        assert failure.value.why.zh
        with pytest.raises(CommandFailed):
            await bus.pulse(camera, "output_9", 0.5, within_s=1)
