"""Lanes through the whole engine: plates, the lane's one actuator, loops, ends of the barrier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivers.reports import DeviceFound, PlateRead
from tests.gateway.engine_site import Yard, yard

LIFT_IN = ("write", "barrier-in", "open", True)
LOWER_IN = ("write", "barrier-in", "close", True)
LIFT_OUT = ("pulse", "relays", "relay_3", 0.5)

# situation: plate, camera, more of the read → events, code of the reason, what goes out, what the camera is answered
READS: list[tuple[str, str, str, dict[str, Any], list[str], str | None, list[Any], bool]] = [
    ("a resident enters", "沪A12345", "cam-in", {}, ["plate.seen", "access.granted"], "granted", [LIFT_IN], False),
    (
        "a visitor enters",
        "苏E54321",
        "cam-in",
        {},
        ["plate.seen", "access.granted"],
        "visitor_admitted",
        [LIFT_IN],
        False,
    ),
    ("a blocked plate", "粤B88888", "cam-in", {}, ["plate.seen", "access.denied"], "blocked_plate", [], False),
    (
        "a doubtful read",
        "沪A12345",
        "cam-in",
        {"confidence": 0.4},
        ["plate.seen", "access.denied"],
        "low_confidence",
        [],
        False,
    ),
    ("no plate at all", "", "cam-in", {}, ["plate.seen", "access.denied"], "no_plate", [], False),
    ("a stored read", "沪A12345", "cam-in", {"replayed": True}, ["plate.seen"], None, [], False),
    ("a resident leaves", "沪A12345", "cam-out", {}, ["plate.seen", "access.granted"], "granted", [LIFT_OUT], False),
    (
        "a visitor waits at the exit",
        "苏E54321",
        "cam-out",
        {},
        ["plate.seen", "access.denied"],
        "visitor_ask",
        [],
        False,
    ),
    ("the camera is the actuator", "沪A12345", "cam-side", {}, ["plate.seen", "access.granted"], "granted", [], True),
    (
        "… and refuses a visitor",
        "苏E54321",
        "cam-side",
        {},
        ["plate.seen", "access.denied"],
        "visitor_refused",
        [],
        False,
    ),
    ("… and a stored read", "沪A12345", "cam-side", {"replayed": True}, ["plate.seen"], None, [], False),
]


@pytest.mark.parametrize(
    ("plate", "camera", "more", "kinds", "code", "sent", "lift"), [r[1:] for r in READS], ids=[r[0] for r in READS]
)
async def test_reads(
    *,
    tmp_path: Path,
    plate: str,
    camera: str,
    more: dict[str, Any],
    kinds: list[str],
    code: str | None,
    sent: list[Any],
    lift: bool,
) -> None:
    async with yard(tmp_path) as here:
        assert await here.plate(plate, camera, **more) is lift
        assert await here.kinds() == kinds
        assert here.sent == sent
        decided = await here.events("access.granted", "access.denied")
        assert [data["reason"]["code"] for _, _, data in decided] == ([] if code is None else [code])


async def test_the_barrier_moves_only_after_the_record(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        before = here.journal.last
        await here.plate("沪A12345")
        assert here.wires["barrier-net"].seen_recorded == [before + 2]


async def test_the_same_arrival_is_recorded_once(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate("沪A12345", plate_id="77")
        await here.plate("沪A12345", plate_id="77")
        await here.wait(2)
        await here.plate("沪A12345", plate_id="78")
        assert await here.kinds() == ["plate.seen", "access.granted"]
        assert here.sent == [LIFT_IN]
        assert here.engine.lanes.decisions["ignored"] == 2


async def test_a_stored_read_is_recorded_once_however_often_it_is_sent(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for _ in range(3):
            await here.plate("沪A12345", plate_id="5", replayed=True, seen_at=1_794_999_000_000)
        [(_, _, data)] = await here.events("plate.seen")
        assert data["replayed"] is True
        assert data["seen_at"] == "2026-11-18T10:50:00.000Z"


async def drives_through(here: Yard) -> None:
    await here.read(barrier_in__gate_status="closed", relays__input_3=True, relays__input_4=False)
    await here.plate("沪A12345")
    await here.read(barrier_in__gate_status="opening")
    await here.read(barrier_in__gate_status="open")
    await here.read(relays__input_3=False, relays__input_4=True)
    await here.read(relays__input_4=False)
    await here.read(barrier_in__gate_status="closing")
    await here.read(barrier_in__gate_status="closed")


async def test_a_car_drives_through_and_the_barrier_is_lowered_behind_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await drives_through(here)
        assert here.sent == [LIFT_IN, LOWER_IN]
        events = await here.events()
        assert [kind for kind, _, _ in events] == [
            "plate.seen",
            "access.granted",
            "barrier.opened",
            "passage.made",
            "barrier.closed",
        ]
        assert events[2][2] == {"by": "decision", "command": None}
        assert events[3][2]["credential"] == {"kind": "plate", "value": "沪A12345"}
        granted = (await here.journal.events(after=0, limit=20, kind="access.granted"))[0]
        assert (events[3][2]["after"], events[3][2]["after_stream"]) == (granted.seq, granted.stream)
        item = here.engine.lanes.item("gate-in")
        assert (item["barrier"], item["loops"]) == ("down", {"before": False, "under": False})
        assert item["last_plate"] == "沪A12345"
        assert here.shelf.last("gate-in.barrier") == "down"
        assert here.shelf.last("gate-in.loop_under") is False


async def test_the_guard_opens_and_the_barrier_says_who(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed")
        command = await here.command("barrier.open", "gate-in")
        await here.read(barrier_in__gate_status="open")
        assert here.sent == [LIFT_IN]
        [(_, source, data)] = await here.events("barrier.opened")
        assert (source, data) == ("gate-in", {"by": "command", "command": command})


# situation: who opened, the loops while it stands open, whether it is lowered after a minute
IDLE = [
    ("nobody drove through", "decision", {"relays__input_3": False, "relays__input_4": False}, True),
    ("somebody stands before it", "decision", {"relays__input_3": True, "relays__input_4": False}, False),
    ("somebody stands under it", "decision", {"relays__input_3": False, "relays__input_4": True}, False),
    ("the loop under it is not trusted", "decision", {"relays__input_3": False}, False),
    ("it was opened by hand", "command", {"relays__input_3": False, "relays__input_4": False}, False),
]


@pytest.mark.parametrize(("by", "loops", "lowered"), [i[1:] for i in IDLE], ids=[i[0] for i in IDLE])
async def test_a_barrier_that_stands_open_for_nobody(
    tmp_path: Path, by: str, loops: dict[str, Any], lowered: bool
) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **loops)
        if by == "decision":
            await here.plate("沪A12345")
        else:
            await here.command("barrier.open", "gate-in")
        await here.read(barrier_in__gate_status="open")
        await here.wait(61)
        assert (LOWER_IN in here.sent) is lowered


async def test_a_barrier_that_does_not_open_is_alarmed_with_a_ticket_and_cleared_when_it_does(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed")
        await here.plate("沪A12345")
        await here.wait(20)
        [(_, source, data)] = await here.events("alarm.raised")
        assert (source, data["rule"], data["asset"]) == ("gate-in", "barrier.stuck", "barrier-in")
        assert len(await here.events("ticket.raised")) == 1
        await here.read(barrier_in__gate_status="open")
        assert len(await here.events("alarm.cleared")) == 1


async def test_a_barrier_that_does_not_take_the_command_is_alarmed_at_once_until_it_does(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed")
        here.wires["barrier-net"].dead = True
        await here.plate("沪A12345")
        [(_, source, alarm)] = await here.events("alarm.raised")
        assert (alarm["rule"], source, alarm["asset"]) == ("barrier.stuck", "gate-in", "barrier-in")
        await here.command("barrier.open", "gate-in")
        await here.wait(30)
        assert len(await here.events("alarm.raised")) == 1
        here.wires["barrier-net"].dead = False
        await here.command("barrier.open", "gate-in")
        assert len(await here.events("alarm.cleared")) == 1


async def test_a_barrier_whose_device_is_found_again_is_no_longer_alarmed(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.wires["barrier-net"].dead = True
        await here.plate("沪A12345")
        assert await here.events("ticket.raised") == []
        here.engine.report(DeviceFound("barrier-in"))
        await here.settle()
        assert not here.engine.alarms.present("barrier.stuck@gate-in")


async def test_a_barrier_is_never_lowered_by_hand_onto_a_car(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="open", relays__input_4=True)
        await here.command("barrier.close", "gate-in")
        assert here.sent == []
        [(_, _, data)] = await here.events("command.failed")
        assert "under the barrier" in data["why"]["en"]


@pytest.mark.parametrize(
    ("kind", "lane"),
    [("barrier.close", "gate-out"), ("barrier.close", "gate-side")],
    ids=["no output to lower it", "the camera lifts it only"],
)
async def test_what_a_barrier_cannot_do_fails_in_words(tmp_path: Path, kind: str, lane: str) -> None:
    async with yard(tmp_path) as here:
        await here.command(kind, lane)
        [(_, source, data)] = await here.events("command.failed")
        assert source == lane
        assert data["why"]["zh"]


async def test_a_camera_that_moves_the_barrier_is_commanded_to_lift_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("barrier.open", "gate-side")
        assert here.sent == [("write", "cam-side", "open", True)]
        assert await here.events("command.done")
        here.wires["cameras"].dead = True
        await here.command("barrier.open", "gate-side")
        [(_, source, alarm)] = await here.events("alarm.raised")
        assert (source, alarm["rule"], alarm["asset"]) == ("gate-side", "barrier.stuck", "cam-side")
        await here.plate("沪A12345", "cam-side")  # it pushes, and is answered "ok"
        assert len(await here.events("alarm.cleared")) == 1


async def test_relay_barrier_ends_are_contacts(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(relays__input_5=False, relays__input_6=True)
        assert here.engine.lanes.item("gate-out")["barrier"] == "down"
        await here.read(relays__input_5=False, relays__input_6=False)
        assert here.engine.lanes.item("gate-out")["barrier"] == "moving"
        await here.read(relays__input_5=True, relays__input_6=False)
        assert here.engine.lanes.item("gate-out")["barrier"] == "up"
        await here.read(relays__input_5=True, relays__input_6=True)
        assert here.engine.lanes.item("gate-out")["barrier"] == "unknown"


async def test_a_picture_is_named_by_both_events_and_an_oversized_one_is_refused(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate("沪A12345", picture=b"\xff\xd8 small")
        seen, granted = await here.events()
        assert seen[2]["picture"] == granted[2]["picture"] is not None
        await here.plate("苏E54321", picture=b"\xff" * 700_000)
        assert [data["picture"] for _, _, data in await here.events("plate.seen")][-1] is None
        assert len(await here.events("input.refused")) == 1


async def test_a_camera_that_floods_does_not_fill_the_journal(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for number in range(200):
            await here.engine.plate_read(PlateRead("cam-out", f"苏E{number:05}", str(number), 0.95))
        await here.settle()
        assert len(await here.events("access.denied")) == 40
        assert await here.events("input.refused")
        await here.wait(1)
        await here.plate("沪A12345", camera="cam-out")
        assert here.sent == [LIFT_OUT]


async def test_an_unknown_camera_lifts_nothing(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await here.plate("沪A12345", camera="nobody") is False
        assert await here.kinds() == ["input.refused"]


async def test_after_a_restart_nothing_is_driven_again(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate("沪A12345")
    async with yard(tmp_path) as again:
        assert again.sent == []
        assert again.engine.lanes.item("gate-in")["barrier"] == "unknown"
        await again.read(barrier_in__gate_status="open")
        assert again.engine.lanes.item("gate-in")["barrier"] == "up"
        assert again.sent == []
