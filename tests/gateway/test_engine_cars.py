"""The car before a barrier through the whole engine: shown while it stands there, tied to what is opened by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contract.commands import Subject
from tests.gateway.disks import FaultyDisk, until
from tests.gateway.engine_site import MORNING, Time, Yard, yard

BLOCKED = "粤B88888"
ON: dict[str, Any] = {"relays__input_3": True, "relays__input_4": False}
OFF: dict[str, Any] = {"relays__input_3": False, "relays__input_4": False}
UNDER: dict[str, Any] = {"relays__input_3": False, "relays__input_4": True}


def lane(here: Yard, id: str = "gate-in") -> Any:
    return here.engine.lanes.item(id)


def subject(here: Yard, id: str = "gate-in") -> Subject:
    car = lane(here, id)["car"]
    return Subject(stream=car["stream"], seq=car["seq"])


async def through(here: Yard, *, lifted: bool = True) -> None:
    if lifted:
        await here.read(barrier_in__gate_status="open")
    await here.read(**UNDER)
    await here.read(**OFF)
    await here.read(barrier_in__gate_status="closed")


async def test_a_car_that_was_not_read_is_never_shown_as_the_one_before(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate("沪A12345")
        read_at = lane(here)["car"]["read_at"]
        assert lane(here)["car"] | {"stream": "", "seq": 0} == {
            "plate": "沪A12345", "read_at": read_at, "picture": None, "stream": "", "seq": 0, "outcome": "granted",
            "holder": "h-1", "blocked": False,
        }  # fmt: skip
        await through(here)
        assert lane(here)["car"] is None
        await here.wait(60)
        # The camera is blind now, and another car comes.
        await here.read(**ON)
        assert lane(here)["car"] is None
        await here.wait(5)
        item = lane(here)
        assert (item["car"]["plate"], item["car"]["outcome"]) == (None, None)
        assert (item["last_plate"], item["last_plate_at"]) == ("沪A12345", read_at)
        assert item["at"] > read_at
        [(_, source, data)] = await here.events("car.arrived")
        assert (source, data["plate"], data["reason"]["code"]) == ("gate-in", None, "car_unread")


async def test_a_car_that_turns_back_has_left_and_no_passage_is_told(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate(BLOCKED)
        where = subject(here)
        assert lane(here)["car"]["blocked"] is True
        await here.wait(20)
        await here.read(**OFF)
        assert lane(here)["car"] is None
        [(_, _, data)] = await here.events("car.left")
        assert data == {"after": where.seq, "after_stream": where.stream, "plate": BLOCKED, "watched": True}
        assert await here.events("passage.made") == []


async def test_an_opening_by_hand_is_tied_to_the_car_that_stands_there(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate("沪A12345", confidence=0.4)
        where = subject(here)
        # Nobody said for which car.
        await here.command("barrier.open", "gate-in", reason="快递、外卖、送货", reason_code="delivery")
        [(_, _, done)] = await here.events("command.done")
        assert done["subject"] == {"stream": where.stream, "seq": where.seq}
        assert (done["plate"], done["despite"], done["reason_code"]) == ("沪A12345", None, "delivery")
        await through(here)
        [(_, _, passed)] = await here.events("passage.made")
        assert (passed["after"], passed["after_stream"]) == (where.seq, where.stream)
        assert await here.events("car.left") == []


async def test_a_car_that_has_gone_is_opened_for_no_more(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate("沪A12345", confidence=0.4)
        where = subject(here)
        await here.wait(20)
        await here.read(**OFF)
        await here.wait(20)
        await here.read(**ON)
        await here.wait(5)
        await here.command("barrier.open", "gate-in", subject=where)
        [(_, _, failed)] = await here.events("command.failed")
        assert failed["why"]["zh"] == "那辆车已不在闸前，未开闸；请看现场再操作"
        assert (failed["subject"], failed["plate"]) == ({"stream": where.stream, "seq": where.seq}, None)
        assert here.sent == []


# situation: what is said → whether it is opened
WORDS: list[tuple[str, dict[str, Any], bool]] = [
    ("three keys", {"reason": "设备测试", "reason_code": "device_test"}, False),
    ("its plate and three keys", {"reason": "设备测试", "reason_code": "device_test", "despite": BLOCKED}, False),
    ("another plate", {"reason": "警察同意", "despite": "粤B88889"}, False),
    ("its plate and own words", {"reason": "警察同意", "despite": "粤b 88888"}, True),
]


@pytest.mark.parametrize(("said", "opened"), [word[1:] for word in WORDS], ids=[word[0] for word in WORDS])
async def test_a_blocked_car_takes_its_plate_and_own_words(
    tmp_path: Path, said: dict[str, Any], *, opened: bool
) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate(BLOCKED)
        await here.command("barrier.open", "gate-in", subject=subject(here), **said)
        assert bool(here.sent) is opened
        [(kind, _, data)] = await here.events("command.done", "command.failed")
        assert (kind, data["despite"]) == (("command.done", BLOCKED) if opened else ("command.failed", None))
        if not opened:
            assert BLOCKED not in data["why"]["zh"] + data["why"]["en"]
        # A plate is in the event, where it is not for everybody, and not among what screens show of the command.
        [shown] = [here.engine.commands.item(id) for id in here.engine.commands.commands]
        assert shown is not None
        assert "despite" not in shown["args"]


async def test_a_hit_is_noted_by_a_person(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate(BLOCKED)
        where = subject(here)
        id = await here.command("hit.acknowledge", "gate-in", subject=where, local=True)
        [(_, source, data)] = await here.events("hit.acknowledged")
        assert (source, data["by"]["name"], data["command"]) == ("gate-in", "王门卫", id)
        assert data["subject"] == {"stream": where.stream, "seq": where.seq}
        await here.command("hit.acknowledge", "gate-in", local=True)
        assert (await here.events("command.failed"))[0][2]["why"]["en"] == "Say which record it is about"


async def test_what_is_no_hit_of_that_place_is_not_noted(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate(BLOCKED)
        hit = subject(here)
        await here.plate("沪A12345", "cam-out")
        other = subject(here, "gate-out")
        for target, named in [
            ("gate-out", hit), ("gate-out", other), ("gate-in", Subject(stream=hit.stream, seq=hit.seq - 1)),
            ("gate-in", Subject(stream=hit.stream, seq=999)), ("gate-in", Subject(stream="0" * 32, seq=hit.seq)),
        ]:  # fmt: skip
            await here.command("hit.acknowledge", target, subject=named)
        assert await here.events("hit.acknowledged") == []
        failed = await here.events("command.failed")
        why = {data["why"]["en"] for _, _, data in failed}
        assert why == {"There is no such hit on the block list here: not noted"}
        # Its place of before a fork is still its name.
        await here.journal.fork(0, "test")
        await here.command("hit.acknowledge", "gate-in", subject=hit)
        assert len(await here.events("hit.acknowledged")) == 1


async def test_a_car_still_stands_there_after_a_restart(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate(BLOCKED)
        before = lane(here)["car"]
    async with yard(tmp_path) as here:
        assert lane(here)["car"] == before
        await here.read(**OFF)
        await here.wait(60)
        assert lane(here)["car"] is None
        [(_, _, data)] = await here.events("car.left")
        assert data["after"] == before["seq"]


async def test_what_nothing_watches_is_not_in_doubt(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert [lane(here, id)["monitored"] for id in ("gate-in", "gate-out", "gate-side")] == [True, True, False]
        assert [each.monitored for each in here.engine.layout.lanes] == [True, True, False]


async def test_who_is_let_in_twice_passes_once(tmp_path: Path) -> None:
    """A second admission would give this car the passage of the next one, and so on."""
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate("沪A12345")
        first = subject(here)
        await here.command("barrier.open", "gate-in", subject=first)
        await here.read(barrier_in__gate_status="open")
        await here.read(**UNDER)
        await here.read(**ON)
        await here.plate("苏E54321")
        second = subject(here)
        await here.read(**UNDER)
        await here.read(**OFF)
        passages = await here.events("passage.made")
        assert [data["after"] for _, _, data in passages] == [first.seq, second.seq]


async def test_a_car_that_was_let_in_and_turned_back_has_left(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate("沪A12345")
        where = subject(here)
        await here.wait(3)
        await here.read(**OFF)
        assert await here.events("car.left") == []
        await here.wait(120)
        [(_, _, data)] = await here.events("car.left")
        assert data["after"] == where.seq


async def test_a_passage_is_of_the_car_that_was_let_in_though_another_left_in_the_same_breath(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(relays__input_5=False, relays__input_6=True)
        await here.plate("粤B11111", "cam-out")
        await here.wait(5)
        await here.plate("沪A12345", "cam-out")
        [(_, _, left)] = await here.events("car.left")
        assert left["plate"] == "粤B11111"
        granted = [each for each in await here.journal.events(after=0, limit=1000) if each.kind == "access.granted"]
        [place] = [{"stream": each.stream, "seq": each.seq} for each in granted]
        car = lane(here, "gate-out")["car"]
        assert {"stream": car["stream"], "seq": car["seq"]} == place
        await here.read(relays__input_5=True, relays__input_6=False)
        await here.read(relays__input_5=False, relays__input_6=True)
        [(_, _, passed)] = await here.events("passage.made")
        assert (passed["after"], passed["credential"]["value"]) == (place["seq"], "沪A12345")
        assert lane(here, "gate-out")["car"] is None


async def test_a_worse_read_of_a_blocked_car_says_that_it_does_not_stand_there(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate(BLOCKED)
        blocked = lane(here)["car"]
        await here.plate("", plate_id="none")
        await here.plate("粤B88889", confidence=0.3)
        assert lane(here)["car"] == blocked
        assert [data["stands"] for _, _, data in await here.events("access.denied")] == [True, False, False]
        await here.command("barrier.open", "gate-in", subject=subject(here))
        assert here.sent == []


async def test_an_opening_that_failed_takes_nobodys_admission_of_before(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await here.plate("沪A12345")
        where = subject(here)
        here.wires["barrier-net"].dead = True
        await here.command("barrier.open", "gate-in", subject=where)
        assert len(await here.events("command.failed")) == 1
        here.wires["barrier-net"].dead = False
        await through(here)
        [(_, _, passed)] = await here.events("passage.made")
        assert (passed["after"], passed["holder"]) == (where.seq, "h-1")
        await here.wait(120)
        assert await here.events("car.left") == []


async def test_a_barrier_opens_for_the_car_that_was_read_and_not_for_the_next_one(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        await asyncio.gather(here.plate("沪A12345"), here.plate("粤B11111", confidence=0.3))
        assert lane(here)["car"]["plate"] == "粤B11111"
        await here.wait(3)
        await here.read(**OFF)
        assert [data["plate"] for _, _, data in await here.events("car.left")] == ["粤B11111"]


async def test_a_car_of_long_before_a_restart_has_left(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate(BLOCKED)
        where = subject(here)
    async with yard(tmp_path, Time(MORNING + 3_600_000)) as here:
        assert lane(here)["car"] is None
        [(_, source, data)] = await here.events("car.left")
        assert (source, data["after"], data["plate"]) == ("gate-in", where.seq, BLOCKED)
    async with yard(tmp_path, Time(MORNING + 3_600_000)) as here:
        assert len(await here.events("car.left")) == 1


@pytest.mark.parametrize("read", [False, True], ids=["nobody was read since", "another one was read since"])
async def test_a_car_that_the_disk_remembers_late_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, read: bool
) -> None:
    async with yard(tmp_path) as here:
        await here.plate(BLOCKED)
        where = subject(here)
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.05)
    disk = FaultyDisk()
    disk.hang_opening()
    async with yard(tmp_path, disk=disk) as here:
        await here.read(barrier_in__gate_status="closed", **(ON if read else OFF))
        if read:
            await here.plate("沪A12345")
        disk.heal()
        await until(lambda: here.journal.stalled is None)
        await here.settle()
        assert (lane(here)["car"] or {"plate": None})["plate"] == ("沪A12345" if read else None)
        [(_, _, data)] = await here.events("car.left")
        assert data["after"] == where.seq
    async with yard(tmp_path) as here:
        assert (lane(here)["car"] or {"plate": None})["plate"] == ("沪A12345" if read else None)


async def test_where_nothing_tells_of_passages_a_resident_is_not_said_to_have_turned_back(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.plate("沪A12345", "cam-side")
        await here.wait(130)
        assert lane(here, "gate-side")["car"] is None
        await here.plate(BLOCKED, "cam-side")
        await here.wait(130)
        await here.plate("沪A12345", "cam-out")
        await here.wait(130)
        assert [(source, data["watched"]) for _, source, data in await here.events("car.left")] == [
            ("gate-side", False), ("gate-side", True), ("gate-out", True),
        ]  # fmt: skip


async def test_an_opening_names_its_entry_also_while_the_disk_does_not_say_where_the_car_stands(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with yard(tmp_path, disk=disk) as here:
        await here.read(barrier_in__gate_status="closed", **ON)
        disk.hang_commits()
        await here.plate("沪A12345", confidence=0.4)
        assert lane(here)["car"]["seq"] is None
        named = Subject(stream="0" * 32, seq=7)
        await here.command("barrier.open", "gate-in", subject=named)
        disk.heal()
        await until(lambda: here.journal.stalled is None)
        await here.journal.on_disk(within_s=10)
        [(_, _, done)] = await here.events("command.done")
        assert (done["subject"], done["plate"]) == ({"stream": named.stream, "seq": named.seq}, "沪A12345")
