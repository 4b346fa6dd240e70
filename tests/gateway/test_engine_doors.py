"""Doors through the whole engine: real journal, real deciders, wires that remember what was sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contract.readings import Reading
from drivers.reports import CredentialRead, DeviceFound, DeviceLost, PointsRead
from tests.gateway.engine_site import RESIDENT, REVOKED, Time, Yard, yard

PULSE = ("pulse", "relays", "relay_1", 5.0)


async def test_a_granted_card_is_recorded_before_the_lock_is_pulsed(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        before = here.journal.last
        await here.card(RESIDENT)
        assert here.sent == [PULSE]
        assert here.wires["doors-net"].seen_recorded == [before + 1]
        [(kind, source, data)] = await here.events("access.granted")
    assert (kind, source) == ("access.granted", "lobby")
    assert data["credential"] == {"kind": "card", "value": RESIDENT}
    assert (data["holder"], data["rule"], data["revision"]) == ("h-1", "g-1", 7)
    assert data["reason"]["zh"]
    assert (data["direction"], data["reader"]) == ("in", "lobby-in")


@pytest.mark.parametrize(
    ("card", "code"), [(REVOKED, "revoked"), ("04FFFFFFFFFFFF", "unknown_card")], ids=["revoked", "unknown"]
)
async def test_a_refused_card_says_why_and_moves_nothing(tmp_path: Path, card: str, code: str) -> None:
    async with yard(tmp_path) as here:
        await here.card(card)
        assert here.sent == []
        [(kind, _, data)] = await here.events("access.granted", "access.denied")
    assert kind == "access.denied"
    assert data["reason"]["code"] == code


async def opens_after_a_grant(here: Yard) -> None:
    await here.card(RESIDENT)
    await here.read(relays__input_1=True)
    await here.read(relays__input_1=False)


async def opens_without_a_grant(here: Yard) -> None:
    await here.read(relays__input_1=True)
    await here.read(relays__input_1=False)


async def stands_open(here: Yard) -> None:
    await here.card(RESIDENT)
    await here.read(relays__input_1=True)
    await here.wait(31)
    await here.read(relays__input_1=False)


async def opens_after_the_exit_button(here: Yard) -> None:
    await here.read(relays__input_2=True)
    await here.read(relays__input_2=False)
    await here.read(relays__input_1=True)
    await here.read(relays__input_1=False)


async def opens_after_a_command(here: Yard) -> None:
    await here.command("door.unlock", "lobby")
    await here.read(relays__input_1=True)
    await here.read(relays__input_1=False)


async def opens_too_late(here: Yard) -> None:
    await here.card(RESIDENT)
    await here.wait(10)
    await here.read(relays__input_1=True)


async def contact_is_lost_while_open(here: Yard) -> None:
    await here.card(RESIDENT)
    await here.read(relays__input_1=True)
    await here.read(quality="bad", relays__input_1=None)
    await here.wait(60)


# what happens, the events of it (without those of the site at rest), how often the lock was pulsed
SITUATIONS: list[tuple[Any, list[str], int]] = [
    (opens_after_a_grant, ["access.granted", "door.opened", "passage.made", "door.closed"], 1),
    (opens_without_a_grant, ["door.opened", "alarm.raised", "door.closed", "alarm.cleared"], 0),
    (
        stands_open,
        ["access.granted", "door.opened", "passage.made", "alarm.raised", "door.closed", "alarm.cleared"],
        1,
    ),
    (opens_after_the_exit_button, ["door.released", "door.opened", "passage.made", "door.closed"], 1),
    (
        opens_after_a_command,
        ["door.released", "command.done", "door.opened", "passage.made", "door.closed"],
        1,
    ),
    (opens_too_late, ["access.granted", "door.opened", "alarm.raised"], 1),
    (contact_is_lost_while_open, ["access.granted", "door.opened", "passage.made"], 1),
]


@pytest.mark.parametrize(("happens", "kinds", "pulses"), SITUATIONS, ids=[s[0].__name__ for s in SITUATIONS])
async def test_what_a_door_records(tmp_path: Path, happens: Any, kinds: list[str], pulses: int) -> None:
    async with yard(tmp_path) as here:
        await happens(here)
        assert await here.kinds() == kinds
        assert here.sent == [PULSE] * pulses


async def test_a_passage_names_the_decision_that_it_follows(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.card(RESIDENT, reader="lobby-out")
        granted = here.journal.last
        await here.read(relays__input_1=True)
        [(_, source, data)] = await here.events("passage.made")
    assert source == "lobby"
    assert data == {
        "direction": "out",
        "after": granted,
        "after_stream": here.journal.stream,
        "credential": {"kind": "card", "value": RESIDENT},
        "holder": "h-1",
    }


async def test_a_lock_left_released_by_a_crash_is_locked_again(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.engine.report(DeviceFound("relays"))
        await here.read(relays__relay_1=True)
        await here.wait(6.5)
        assert here.sent == []
        await here.wait(1)
        assert here.sent == [("write", "relays", "relay_1", False)]


async def test_a_lock_that_somebody_else_let_go_is_locked_again_and_a_pulse_is_left_alone(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.card(RESIDENT)
        await here.read(relays__relay_1=True)
        await here.wait(4)
        await here.card(RESIDENT)
        await here.wait(4.5)
        assert here.sent == [PULSE, PULSE]
        await here.wait(10)
        assert here.sent == [PULSE, PULSE, ("write", "relays", "relay_1", False)]


async def test_a_door_that_stands_unlocked_is_let_go_again_when_its_board_forgot(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked")
        await here.read(relays__relay_1=True)
        await here.read(relays__relay_1=False)
        await here.wait(3)
        assert here.sent == [("write", "relays", "relay_1", True)] * 2


async def test_a_door_that_could_not_be_locked_again_is_alarmed_and_tried_again(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked")
        await here.read(relays__relay_1=True)
        here.wires["doors-net"].dead = True
        await here.command("door.mode", "lobby", mode="normal")
        assert here.engine.alarms.present("lock.failed@lobby")
        here.wires["doors-net"].dead = False
        await here.wait(16)
        assert here.sent[-1] == ("write", "relays", "relay_1", False)
        assert not here.engine.alarms.present("lock.failed@lobby")


async def test_a_forced_door_that_closed_while_the_gateway_was_away_is_no_longer_alarmed(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(relays__input_1=True)
        assert here.engine.alarms.present("door.forced@lobby")
    async with yard(tmp_path, at_rest=False) as again:
        assert again.engine.alarms.present("door.forced@lobby")
        await again.read(relays__input_1=False)
        assert not again.engine.alarms.present("door.forced@lobby")


async def test_a_dead_lock_wire_loses_no_record(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.wires["doors-net"].dead = True
        await here.card(RESIDENT)
        assert await here.kinds() == ["access.granted", "alarm.raised"]
        assert here.engine.doors.lock_failures == 1


async def by_card(here: Yard) -> None:
    await here.card(RESIDENT)


async def by_exit_button(here: Yard) -> None:
    await here.read(relays__input_2=False)
    await here.read(relays__input_2=True)


async def by_command(here: Yard) -> None:
    await here.command("door.unlock", "lobby")


async def board_is_found(here: Yard) -> None:
    here.engine.report(DeviceFound("relays"))
    await here.settle()


async def board_recovers(here: Yard) -> None:
    points = here.engine.points.of_device("relays")
    at = here.time.machine_ms
    bad = tuple(Reading(point=point, value=None, quality="bad", at=at) for point in points)
    here.engine.report(PointsRead("relays", bad))
    await here.read(relays__relay_1=False)


@pytest.mark.parametrize("ends", [by_card, by_command, board_is_found, board_recovers])
@pytest.mark.parametrize("asks", [by_card, by_exit_button, by_command])
async def test_a_lock_that_does_not_act_is_alarmed_at_once_until_it_does(tmp_path: Path, asks: Any, ends: Any) -> None:
    async with yard(tmp_path) as here:
        here.wires["doors-net"].dead = True
        await asks(here)
        await asks(here)
        [(_, source, alarm)] = await here.events("alarm.raised")
        assert (alarm["rule"], source, alarm["asset"]) == ("lock.failed", "lobby", "relays")
        assert alarm["message"]["zh"] == "大堂：锁没有动作（继电器：the wire is dead）"
        assert alarm["message"]["en"] == "Lobby: the lock did not act (Relays: the wire is dead)"
        for language in ("zh", "en"):
            assert {"zh": "继电器", "en": "Relays"}[language] in alarm["response"][language]
        here.wires["doors-net"].dead = False
        await ends(here)
        assert len(await here.events("alarm.cleared")) == 1


@pytest.mark.parametrize(("online", "tickets"), [(True, 1), (False, 0)], ids=["refuses", "is silent"])
async def test_a_lock_asks_for_a_ticket_only_while_its_board_has_none(
    tmp_path: Path, online: bool, tickets: int
) -> None:
    async with yard(tmp_path) as here:
        wire = here.wires["doors-net"]
        wire.dead = True
        wire.online = lambda device: online  # type: ignore[method-assign]
        await here.card(RESIDENT)
        assert len(await here.events("ticket.raised")) == tickets


async def test_a_board_that_gives_nothing_but_errors_is_one_ticket(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        wire = here.wires["doors-net"]
        wire.dead = True
        wire.online = lambda device: True  # type: ignore[method-assign]
        at = here.time.machine_ms
        points = here.engine.points.of_device("relays")
        bad = tuple(Reading(point=point, value=None, quality="bad", at=at) for point in points)
        here.engine.report(PointsRead("relays", bad))
        await here.card(RESIDENT)
        await here.wait(11)
        rules = [alarm["rule"] for _, _, alarm in await here.events("alarm.raised")]
        assert rules == ["lock.failed", "device.failing"]
        assert len(await here.events("ticket.raised")) == 1


async def test_a_reader_of_no_door_is_an_input_that_was_refused(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.card(RESIDENT, reader="nobody")
        [(_, source, data)] = await here.events("input.refused")
    assert source == "nobody"
    assert data["count"] == 1


async def test_a_babbling_reader_is_bounded(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for _ in range(50):
            here.engine.report(CredentialRead("lobby-in", "card", RESIDENT))
        await here.settle()
        assert 0 < len(here.sent) <= 8
        assert await here.events("input.refused")
        await here.card(RESIDENT)
        assert len(here.sent) <= 9


async def test_a_reader_that_spams_strangers_does_not_fill_the_journal(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for number in range(1000):
            here.engine.report(CredentialRead("lobby-in", "card", f"04{number:012X}"))
        await here.settle()
        assert len(await here.events("access.denied")) == 40
        await here.card(RESIDENT, reader="lobby-out")
        assert here.sent == [PULSE]
        await here.wait(1)
        await here.card(RESIDENT)
        assert here.sent == [PULSE, PULSE]


async def test_lock_contact_and_mode_become_readings(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.card(RESIDENT)
        assert here.shelf.last("lobby.lock") == "released"
        await here.read(relays__input_1=True)
        assert here.shelf.last("lobby.contact") == "open"
        await here.wait(8)
        assert here.shelf.last("lobby.lock") == "locked"
        await here.command("door.mode", "lobby", mode="locked")
        assert here.shelf.last("lobby.mode") == "locked"
        assert here.engine.doors.item("lobby") == {
            "id": "lobby",
            "site": "yard",
            "lock": "locked",
            "contact": "open",
            "mode": "locked",
            "mode_since": here.engine.doors.item("lobby")["mode_since"],
            "mode_until": None,
            "mode_by": "王门卫",
            "at": here.engine.doors.item("lobby")["at"],
            "can": ["door.unlock", "door.mode"],
        }


async def test_a_lost_board_leaves_its_locks_unknown_until_it_is_found(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.engine.report(DeviceFound("relays"))
        await here.settle()
        assert here.engine.doors.item("lobby")["lock"] == "locked"
        here.engine.report(DeviceLost("relays", "it does not answer"))
        await here.settle()
        assert here.engine.doors.item("lobby")["lock"] == "unknown"
        assert here.shelf.last("lobby.lock") == "unknown"
        # What somebody asks of it meanwhile changes nothing about that.
        await here.command("door.mode", "lobby", mode="locked")
        assert here.engine.doors.item("lobby")["lock"] == "unknown"
        here.engine.report(DeviceFound("relays"))
        await here.settle()
        assert here.engine.doors.item("lobby")["lock"] == "locked"
        assert here.shelf.last("lobby.lock") == "locked"


async def test_in_1970_grants_without_hours_still_hold_and_the_doubt_is_said(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.card(RESIDENT)
        last_wall = here.time.machine_ms
    async with yard(tmp_path, Time(wall_ms=5_000)) as again:
        await again.card(RESIDENT)
        assert again.sent == [PULSE]
        events = await again.journal.events(after=0, limit=100)
        assert again.engine.alarms.present("clock.doubtful@yard-gw")
        assert [event.kind for event in events].count("clock.doubted") == 1
        granted = [event for event in events if event.kind == "access.granted"]
        assert [event.clock for event in granted] == ["ok", "doubtful"]
        assert granted[1].at >= granted[0].at
        again.time.machine_ms = last_wall + 3_600_000
        await again.card(RESIDENT)
        assert not again.engine.alarms.present("clock.doubtful@yard-gw")
        assert (await again.events("clock.trusted")) != []


HELD = ("write", "relays", "relay_1", True)


async def test_a_lock_that_is_let_go_is_driven_each_time_that_its_board_is_found(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked")
        for times in (1, 2, 3):
            assert here.sent.count(HELD) == times
            here.engine.report(DeviceLost("relays", "it does not answer"))
            await here.settle()
            here.engine.report(DeviceFound("relays"))
            await here.settle()


async def test_a_board_that_is_found_while_a_lock_is_being_driven_is_driven_again_at_once(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked")
        wire = here.wires["doors-net"]
        wire.sent.clear()
        wire.gate, wire.dead = asyncio.Event(), True
        here.engine.report(DeviceFound("relays"))
        here.engine.report(DeviceLost("relays", "it does not answer"))
        here.engine.report(DeviceFound("relays"))
        await asyncio.sleep(0)
        opening, wire.gate = wire.gate, None
        opening.set()
        await asyncio.sleep(0)
        wire.dead = False
        await here.settle()
        assert here.sent == [HELD]
