"""Cameras' times through the whole engine: what is of now moves a barrier, what is not is recorded and told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from drivers.mqtt.plates import Plates
from drivers.profiles.files import load
from drivers.reports import ClockTold
from gateway.engine.lanes.cameras import CALM_S, GOES_ON
from rules.access.freshness import AGREEING
from tests.gateway.engine_site import MORNING, SITE, Time, Yard, yard
from tests.gateway.test_engine_lanes import LIFT_IN

S, MIN, H, DAY, YEAR = 1_000, 60_000, 3_600_000, 86_400_000, 365 * 86_400_000


async def car(here: Yard, lead: int = 0, plate: str = "沪A12345", camera: str = "cam-in", **more: Any) -> list[str]:
    """A read whose stamp leads the gateway's time by so much; what was recorded of it, or why nothing was lifted."""
    before = len(await here.events())
    at = here.time.machine_ms + lead
    await here.plate(plate, camera, plate_id=f"{plate}-{at}", seen_at=at, **more)
    new = (await here.events())[before:]
    return [data["reason"]["code"] if data.get("replayed") else kind for kind, _, data in new]


async def alarms(here: Yard, kind: str = "alarm.raised") -> list[dict[str, Any]]:
    """What was said of alarms of cameras' reads, and by which camera."""
    ids = {data["alarm"] for _, _, data in await here.events("alarm.raised") if data["rule"] == "camera.replayed"}
    return [data | {"source": source} for _, source, data in await here.events(kind) if data["alarm"] in ids]


LET_IN = ["plate.seen", "access.granted"]


async def test_a_camera_three_minutes_off_lets_in_and_what_it_sent_is_not_let_in_again(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for off in (3 * MIN, -3 * MIN):
            camera = "cam-in" if off > 0 else "cam-side"
            assert await car(here, off, camera=camera) == LET_IN
            assert here.engine.lanes.cameras.error_ms(camera) == off
        await here.wait(3600)
        assert await car(here, 3 * MIN) == LET_IN
        assert await car(here, 3 * MIN - H) == ["replayed_old"]
        assert here.sent == [LIFT_IN, LIFT_IN]
        assert here.engine.lanes.cameras.replayed == {"cam-in": 1, "cam-out": 0, "cam-side": 0}
        assert here.engine.lanes.decisions == {"granted": 3, "denied": 0, "ignored": 1}


@pytest.mark.parametrize(("off", "denied"), [(-3 * MIN, 0), (3 * MIN, AGREEING - 1)], ids=["slow", "fast"])
async def test_a_camera_whose_clock_is_put_right_lets_in_again(tmp_path: Path, off: int, denied: int) -> None:
    async with yard(tmp_path) as here:
        assert await car(here, off) == LET_IN
        for _ in range(denied):
            await here.wait(60)
            assert await car(here, 0, "苏E54321") == ["replayed_old"]
        await here.wait(61)
        assert await car(here, 0) == LET_IN
        assert await alarms(here) == []


async def test_when_it_goes_on_it_is_an_alarm_until_it_stops(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await car(here) == LET_IN
        for number in range(GOES_ON):
            await here.wait(10)
            assert "replayed_old" in await car(here, -YEAR - number * MIN)
        [alarm] = await alarms(here)
        assert (alarm["source"], alarm["asset"]) == ("cam-in", "cam-in")
        assert "慢 365 天" in alarm["message"]["zh"]
        assert len(await alarms(here, "ticket.raised")) == 1
        await here.wait(CALM_S - 1)
        await car(here, -YEAR)
        await here.wait(CALM_S - 1)
        assert await alarms(here, "alarm.cleared") == []
        await here.wait(2)
        assert len(await alarms(here, "alarm.cleared")) == 1


@pytest.mark.parametrize("measured", [True, False])
async def test_what_was_recorded_before_the_gateway_stood_lifts_nothing_however_often(
    tmp_path: Path, measured: bool
) -> None:
    async with yard(tmp_path) as here:
        if measured:
            assert await car(here) == LET_IN
        for _ in range(AGREEING + 2):
            await here.wait(60)
            assert "replayed_old" in await car(here, -YEAR)
        assert here.sent == [LIFT_IN] * measured
        assert len(await alarms(here)) == 1


async def test_the_alarm_ends_as_soon_as_the_cameras_clock_is_known_again(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await car(here, -3 * MIN) == LET_IN
        for number in range(GOES_ON):
            await car(here, -YEAR - number)
        assert len(await alarms(here)) == 1
        await here.wait(20)
        await car(here, -3 * MIN, "苏E54321")
        assert await alarms(here, "alarm.cleared") == []
        await here.wait(20)
        await car(here, 0, "苏E54322")
        assert len(await alarms(here, "alarm.cleared")) == 1


async def test_a_queue_that_comes_when_the_line_is_back_is_recorded_late_and_no_alarm(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await car(here) == LET_IN
        await here.wait(3600)
        for ago in (50, 40, 30, 20, 10):
            assert await car(here, -ago * MIN) == ["replayed_late"]
        for ago in (9, 8):
            assert await car(here, -ago * MIN, replayed=True) == ["replayed"]
        assert await car(here) == LET_IN
        assert await alarms(here) == []
        reads = await here.events("plate.seen")
        assert reads[1][2]["reason"]["zh"].startswith("识别后 50 分钟 才送达")


async def test_after_a_restart_the_measured_error_holds(tmp_path: Path) -> None:
    time = Time()
    async with yard(tmp_path, time) as here:
        for _ in range(AGREEING):
            await here.wait(60)
            await car(here, 8 * H)
        assert here.sent == [LIFT_IN]
    time.pass_by(60)
    async with yard(tmp_path, time) as again:
        assert await car(again, 8 * H) == LET_IN
        await again.wait(60)
        assert await car(again, 8 * H - 10 * MIN) == ["replayed_old"]


async def test_the_gateways_own_time_is_put_right_and_cameras_go_on(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await car(here, 4 * MIN) == LET_IN
        here.time.machine_ms += 4 * MIN
        await here.wait(60)
        assert await car(here, 0) == LET_IN
        assert here.engine.clock.state == "ok"
        await here.wait(60)
        assert await car(here, -4 * MIN) == ["replayed_old"]


async def test_while_the_gateway_does_not_know_the_time_three_reads_say_where_a_clock_stands(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await car(here) == LET_IN
    dead_battery = Time(MORNING - 30 * YEAR)
    async with yard(tmp_path, dead_battery) as again:
        assert again.engine.clock.state == "doubtful"

        async def seen_at(at: int) -> list[str]:
            return await car(again, at - again.time.machine_ms)

        for n in (0, 1):
            await again.wait(60)
            assert "replayed_ahead" in await seen_at(MORNING + DAY + n * MIN)
        await again.wait(60)
        assert await seen_at(MORNING + DAY + 2 * MIN) == LET_IN
        # What was recorded before is of no use.
        await again.wait(60)
        assert await seen_at(MORNING + 1) == ["replayed_old"]


async def test_signs_of_life_tell_the_time_before_the_first_car(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for _ in range(AGREEING):
            await here.wait(20)
            here.engine.report(ClockTold("cam-in", here.time.machine_ms + 8 * H))
        here.engine.report(ClockTold("nobody", 1))
        assert await car(here, 8 * H) == LET_IN


async def test_a_camera_without_any_time_is_judged_by_when_its_read_comes(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for _ in range(2):
            await here.plate("沪A12345", plate_id="7")
            await here.wait(3600)
        assert await here.kinds() == [*LET_IN, "car.left"]
        await here.plate("沪A12345", plate_id="8")
        assert here.sent == [LIFT_IN, LIFT_IN]


async def test_a_lane_says_how_late_a_read_may_be(tmp_path: Path) -> None:
    patient = SITE.replace("    visitors: admit\n", "    visitors: admit\n    fresh_s: 120\n")
    async with yard(tmp_path, site=patient) as here:
        await car(here)
        await here.wait(3600)
        assert await car(here, -119 * S) == LET_IN
        assert await car(here, -130 * S, "苏E54321") == ["replayed_old"]


async def test_a_flood_is_not_remembered_in_place_of_whom_was_let_in(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate("沪A12345", plate_id="1")
        for number in range(700):
            await here.plate(f"苏E{number:05}", plate_id=f"x{number}")
        await here.wait(30)
        await here.plate("沪A12345", plate_id="1")
        granted = [data["credential"]["value"] for _, _, data in await here.events("access.granted")]
        assert granted.count("沪A12345") == 1


FRIGATE = SITE.replace("buses:\n", "buses:\n  broker: {kind: mqtt, host: 127.0.0.1}\n").replace(
    "  cam-in: {profile: zhenshi_plate_camera, bus: cameras}",
    "  cam-in: {profile: frigate_lpr, bus: broker, topic: gate}",
)


async def test_a_message_of_2017_through_the_sites_broker_lifts_nothing(tmp_path: Path) -> None:
    async with yard(tmp_path, site=FRIGATE) as here:
        plates = Plates(
            "broker",
            {"cam-in": ("gate", load("frigate_lpr"))},
            sink=here.engine.report,
            present=lambda _device, _why: None,
        )

        async def publish(at: float, id: str) -> None:
            said = {"type": "lpr", "id": id, "camera": "gate", "plate": "沪A12345", "score": 0.97, "timestamp": at}
            plates.take("frigate/tracked_object_update", json.dumps(said).encode(), retained=False)
            await asyncio.sleep(0)
            await here.settle()

        await publish(1_500_000_000.5, "1500000000.5-abc")
        assert here.sent == []
        [(_, _, seen)] = await here.events("plate.seen")
        assert (seen["replayed"], seen["seen_at"]) == (True, "2017-07-14T02:40:00.500Z")
        await publish(here.time.machine_ms / 1000, "now")
        assert here.sent == [LIFT_IN]
        plates.rest()
