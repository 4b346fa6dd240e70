"""Results of commands overtake the backlog: signs of life tell them as soon as they are on the disk, no sooner."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.commands import Person
from contract.kinds import CommandResult
from contract.presence import ANSWERED_LIMIT, Answered
from contract.texts import Text
from gateway.clock import Clock
from gateway.journal import Draft, Journal
from gateway.uplink.answers import Answers
from tests.gateway.disks import FaultyDisk
from tests.gateway.line import HubEnd, RunningBroker, hub_end
from tests.gateway.test_uplink import PATIENT, Site, all_there, site

DEAD = Text("总线无应答", "The bus does not answer")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.pause_s", lambda failures, jitter: 0.05)


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


async def answer(gateway: Site, number: int, state: str = "done", why: Text | None = None) -> None:
    """The engine has recorded what became of a command."""
    by = Person(id="u1", name="Zhao", role="guard")
    result = CommandResult(command=id_of(number), kind="door.unlock", target="a", by=by, reason="r", why=why)
    await gateway.journal.append([Draft(kind=f"command.{state}", source="a", data=result)])


def told(hub: HubEnd) -> list[Answered]:
    """What the last sign of life answered."""
    return hub.presences[-1].answered if hub.presences else []


async def test_a_result_is_told_while_the_backlog_waits(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        hub.answering = False
        await gateway.record(*(f"door-{n}" for n in range(300)))
        await answer(gateway, 1, "failed", DEAD)
        await hub.until(lambda: bool(told(hub)))
        [first] = told(hub)
        assert (first.command, first.state, first.why) == (id_of(1), "failed", DEAD)
        assert gateway.journal.acked == 0
        await answer(gateway, 2)
        await hub.until(lambda: [each.command for each in told(hub)] == [id_of(1), id_of(2)])
        hub.answering = True
        await all_there(gateway, hub)
        gateway.uplink.announce()
        await hub.until(lambda: told(hub) == [])


async def test_a_result_that_is_not_on_the_disk_is_not_told(broker: RunningBroker, tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port, disk=disk) as gateway:
        await gateway.record("first")
        await all_there(gateway, hub)
        hub.answering = False
        disk.hang_syncs()
        await answer(gateway, 1)
        before = len(hub.presences)
        gateway.uplink.announce()
        await hub.until(lambda: len(hub.presences) > before)
        assert told(hub) == []
        disk.heal()
        await hub.until(lambda: [each.command for each in told(hub)] == [id_of(1)])


async def test_what_waits_is_still_told_after_a_restart(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        await answer(gateway, 1)
        await answer(gateway, 2, "expired", DEAD)
        await gateway.journal.on_disk(within_s=20)
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        hub.answering = False
        await hub.until(lambda: len(told(hub)) == 2)
        assert [(each.command, each.state) for each in told(hub)] == [(id_of(1), "done"), (id_of(2), "expired")]


async def test_what_a_restored_hub_lacks_and_what_a_fork_moved_is_told_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.sqlite", clock=Clock(), keep=PATIENT)
    answers = Answers(journal, lambda: None)
    by = Person(id="u1", name="Zhao", role="guard")
    result = CommandResult(command=id_of(1), kind="door.unlock", target="a", by=by, reason="r")
    await journal.append([Draft(kind="command.done", source="a", data=result)])
    await journal.on_disk(within_s=20)
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    journal.acknowledge(1)
    assert answers.waiting() == []
    journal.acknowledge(0)
    await answers.recall()
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    await journal.fork(0, "the hub holds something else")
    await answers.recall()
    await journal.on_disk(within_s=20)
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    journal.acknowledge(1)
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    journal.acknowledge(2)
    assert answers.waiting() == []
    await journal.close()


async def test_of_very_many_the_newest_are_told(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        for number in range(ANSWERED_LIMIT + 5):
            await answer(gateway, number)
        await gateway.journal.on_disk(within_s=20)
        async with hub_end(broker) as hub:
            hub.answering = False
            gateway.uplink.announce()
            await hub.until(lambda: bool(told(hub)))
            assert [each.command for each in told(hub)] == [id_of(n) for n in range(5, ANSWERED_LIMIT + 5)]
