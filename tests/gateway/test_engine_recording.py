"""What decisions do when the disk does not record, and what always holds between a decision, its record and the act."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.facts.entry import DoorMoved, DoorReleased
from contract.readings import Reading
from drivers.reports import CredentialRead, DeviceFound, DeviceLost, PlateRead, PointsRead, Report
from gateway.engine.desk.record import Facts, Thing
from gateway.journal import StateChange
from tests.gateway.disks import FaultyDisk
from tests.gateway.engine_site import RESIDENT, REVOKED, Yard, yard

PULSE = ("pulse", "relays", "relay_1", 5.0)


async def test_a_hanging_disk_locks_nobody_in_and_loses_nothing(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with yard(tmp_path, disk=disk) as here:
        disk.hang_commits()
        await here.card(RESIDENT)
        await here.card(REVOKED)
        await here.command("door.unlock", "lobby")
        assert here.sent == [PULSE, PULSE]
        assert here.journal.waiting > 0
        await until(lambda: here.engine.alarms.present("recording.stalled@yard-gw"))
        disk.heal()
        await until(lambda: not here.engine.alarms.present("recording.stalled@yard-gw"))
        await until(lambda: here.journal.waiting == 0)
        kinds = await here.kinds()
        assert [kind for kind in kinds if kind.startswith(("access", "command"))] == [
            "access.granted",
            "access.denied",
            "command.done",
        ]
        assert kinds.count("alarm.raised") == kinds.count("alarm.cleared") == 1
        # What was missed is said before the all-clear.
        assert kinds.index("recording.stalled") < kinds.index("alarm.cleared")


@pytest.mark.parametrize("local", [False, True], ids=["from the hub", "from here"])
async def test_a_command_is_on_the_disk_before_it_acts(tmp_path: Path, local: bool) -> None:
    disk = FaultyDisk()
    async with yard(tmp_path, disk=disk) as here:
        await until(lambda: here.journal.waiting == 0)
        assert await here.journal.on_disk(within_s=20)
        confirmed = disk.syncs
        here.wires["doors-net"].recorded_before = lambda: disk.syncs
        await here.command("door.unlock", "lobby", local=local)
        assert here.sent == [PULSE]
        assert here.wires["doors-net"].seen_recorded[0] > confirmed


async def test_a_door_waits_for_the_disk_no_longer_than_fifty_milliseconds(tmp_path: Path) -> None:
    """The best of some tries: a busy machine makes each of them longer, none of them shorter."""
    disk, waits = FaultyDisk(), []
    async with yard(tmp_path, disk=disk) as here:
        for tries in range(1, 6):
            disk.hang_commits()
            began = time.perf_counter()
            here.engine.report(CredentialRead("lobby-in", "card", RESIDENT))
            await until(lambda tries=tries: len(here.sent) == tries)
            if here.journal.stalled is None:
                waits.append(time.perf_counter() - began)
            disk.heal()
            await until(lambda: here.journal.waiting == 0)
        assert await here.journal.on_disk(within_s=20)
        assert (await here.kinds()).count("access.granted") == 5
    assert min(waits) < 0.15


async def test_a_stall_that_a_restart_ended_is_no_longer_alarmed(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with yard(tmp_path, disk=disk) as here:
        disk.commit_error = OSError(28, "No space left on device")
        await here.card(RESIDENT)
        assert here.sent == [PULSE]
        await until(lambda: here.engine.alarms.present("recording.stalled@yard-gw"))
        disk.heal()
        await until(lambda: here.journal.stalled is None)
        await until(lambda: here.journal.waiting == 0)
    async with yard(tmp_path, here.time) as again:
        assert not again.engine.alarms.present("recording.stalled@yard-gw")


async def until(holds: Any) -> None:
    """Returns when it holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - a writer's thread, it can only be looked at
            await asyncio.sleep(0.01)


# --- What always holds

STEPS: dict[str, Any] = {
    "resident": lambda here: here.card(RESIDENT),
    "resident leaves": lambda here: here.card(RESIDENT, reader="lobby-out"),
    "revoked": lambda here: here.card(REVOKED),
    "opens": lambda here: here.read(relays__input_1=True),
    "closes": lambda here: here.read(relays__input_1=False),
    "contact lost": lambda here: here.read(quality="bad", relays__input_1=None),
    "button": lambda here: here.read(relays__input_2=True),
    "button let go": lambda here: here.read(relays__input_2=False),
    "a while": lambda here: here.wait(3),
    "a long while": lambda here: here.wait(40),
    "guard": lambda here: here.command("door.unlock", "lobby"),
    "locked down": lambda here: here.command("door.mode", "lobby", mode="locked"),
    "left open": lambda here: here.command("door.mode", "lobby", mode="unlocked"),
    "as usual": lambda here: here.command("door.mode", "lobby", mode="normal"),
    "plate": lambda here: here.plate("沪A12345"),
    "blocked plate": lambda here: here.plate("粤B88888"),
    "stored plate": lambda here: here.plate("沪A12345", replayed=True),
    "barrier up": lambda here: here.read(barrier_in__gate_status="open"),
    "barrier down": lambda here: here.read(barrier_in__gate_status="closed"),
    "car under": lambda here: here.read(relays__input_4=True),
    "car gone": lambda here: here.read(relays__input_4=False),
    "board lost": lambda here: told(here, DeviceLost("relays", "no answer")),
    "board found": lambda here: told(here, DeviceFound("relays")),
}


async def told(here: Yard, report: Any) -> None:
    here.engine.report(report)
    await here.settle()


async def invariants(names: list[str], folder: Path) -> None:
    async with yard(folder) as here:
        for name in names:
            await STEPS[name](here)
        events = await here.events()
        kinds = [kind for kind, _, _ in events]
        granted = sum(kind == "access.granted" and source == "lobby" for kind, source, _ in events)
        released = kinds.count("door.released")
        pulses = here.sent.count(PULSE)
        assert pulses <= granted + released, "the lock was let go without a word about it"
        lifts = here.sent.count(("write", "barrier-in", "open", True))
        assert lifts == sum(kind == "access.granted" and source == "gate-in" for kind, source, _ in events)
        passages = [data for kind, source, data in events if kind == "passage.made" and source == "lobby"]
        assert len(passages) <= granted + released
        for cause in ("door.forced", "door.held", "device.lost", "barrier.stuck"):
            raised = [kind for kind, _, data in events if data.get("rule") == cause and kind.startswith("alarm.")]
            assert all(kind == ("alarm.raised", "alarm.cleared")[place % 2] for place, kind in enumerate(raised)), (
                raised
            )
        seqs = [event.seq for event in await here.journal.events(after=0, limit=1000)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert here.engine.crashed == here.engine.errands.failed == here.engine.record.failed == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=25))
def test_whatever_happens_every_act_has_its_record(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(invariants(names, Path(folder)))


async def test_a_fact_has_its_place_when_append_returns_and_no_task_is_made_for_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        before, told = asyncio.all_tasks(), list[Thing]()
        here.engine.record.watch(told.extend)
        for number in range(3):
            facts = Facts()
            facts.say("door.opened", f"door-{number}", DoorMoved(by="free"))
            facts.touch("door", f"door-{number}")
            recorded = here.engine.record.append(facts)
        assert asyncio.all_tasks() == before
        assert here.journal.waiting >= 3
        assert told == []
        await recorded
        assert [source for _, source, _ in await here.events("door.opened")] == ["door-0", "door-1", "door-2"]
        assert told == [Thing("door", "door-0"), Thing("door", "door-1"), Thing("door", "door-2")]


async def test_who_stops_waiting_for_a_fact_takes_it_from_nobody(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        told = list[Thing]()
        here.engine.record.watch(told.extend)
        facts = Facts()
        facts.say("door.opened", "lobby", DoorMoved(by="free"))
        facts.touch("door", "lobby")
        here.engine.record.append(facts).cancel()
        await here.settle()
        assert await here.kinds() == ["door.opened"]
        assert told == [Thing("door", "lobby")]


async def test_a_watcher_that_fails_keeps_nobody_from_hearing(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        told = list[Thing]()

        def fail(_: Sequence[Thing]) -> None:
            raise RuntimeError("a screen")

        here.engine.record.watch(fail)
        here.engine.record.watch(told.extend)
        await here.card(RESIDENT)
        here.engine.record.tell([Thing("door", "lobby")])
        assert here.sent == [PULSE]
        assert here.engine.record.watchers_failed > here.engine.record.failed == 0
        assert Thing("door", "lobby") in told


async def test_a_fact_that_breaks_the_contract_is_said_and_stops_nobody(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        facts = Facts()
        facts.say("door.opened", "lobby", DoorReleased(by="exit", for_s=5))
        with pytest.raises(TypeError):
            await here.engine.record.append(facts)
        assert here.engine.record.failed == 1
        await here.card(RESIDENT)
        assert await here.kinds() == ["access.granted"]


async def test_nobody_is_locked_in_and_no_ticket_is_lost_because_too_much_is_under_way(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(relays__input_2=False)
        over = asyncio.Event()

        async def wait() -> None:
            await over.wait()

        while here.engine.errands.start(wait()) is not None:
            pass
        try:
            at = here.time.machine_ms
            here.engine.report(CredentialRead("lobby-in", "card", RESIDENT))
            here.engine.report(
                PointsRead("relays", (Reading(point="relays.input_2", value=True, quality="good", at=at),))
            )
            here.engine.report(DeviceLost("pump-1", "it does not answer"))
            here.engine.report(PlateRead(camera="cam-in", plate="沪A12345", plate_id="p-1", confidence=0.95))
            await until(lambda: here.sent.count(PULSE) == 2)
            here.time.pass_by(3600)
            await until(lambda: any(alarm.ticketed for alarm in here.engine.alarms.alarms.values()))
        finally:
            over.set()
        assert {"ticket.raised", "plate.seen"} <= set(await here.kinds())


async def test_every_report_of_a_driver_has_a_part_that_takes_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert set(here.engine._takers) == set(get_args(Report))


async def test_state_of_another_form_is_as_if_it_were_not(tmp_path: Path) -> None:
    kinds = {"door": "lobby", "shelf": "x", "alarm": "x", "command": "x", "meter": "main", "site": "described"}
    async with yard(tmp_path) as here:
        odd = [StateChange(kind, id, b'["of another form"]') for kind, id in kinds.items()]
        await here.journal.put([], [*odd, StateChange("door", "garage", b"\xff\xfe")])
    async with yard(tmp_path) as again:
        await again.card(RESIDENT)
        assert again.sent == [PULSE]
