"""Real journals that are copied, put back, damaged and cut against a real hub: each fact is there once, in order."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from contract.acks import Ack
from contract.facts.gateway import JournalDamaged, StreamForked
from contract.facts.machines import InputRefused
from contract.presence import Presence, Versions
from gateway.clock import Clock
from gateway.journal import BrokenChain, Draft, Journal, Keep, NotHeld
from gateway.uplink.outbox import ForkNeeded, Freed, Outbox, Rewound, Told
from hub.database.transactions import Database
from hub.events.verifying import verify
from hub.ingest.presence import GatewayPresence
from tests.gateway.test_salvage import overwrite, pages_of
from tests.hub.senders import NOW_MS, Sent, arrived, enrolled, rows
from tests.hub.test_ingest import ingest

NAME = "gw-1"
PATIENT = Keep(act_waits_s=30)


class Site:
    """A gateway's journal and outbox, and its line to the hub: what the uplink does, on a clock of its own."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.path = folder / "journal.sqlite"
        self.database = database
        self.sent = Sent()
        self.hub = ingest(database, self.sent)
        self.presences = GatewayPresence(database, self.sent, silence_s=30, now_ms=lambda: NOW_MS)
        self.now = 0.0
        self.births = 0
        self.made = 0
        self.copies: list[Path] = []
        self.forked = 0
        self.open()

    def open(self) -> None:
        """The gateway's process begins."""
        self.journal = Journal.open(self.path, clock=Clock(), keep=PATIENT, source=NAME)
        self.outbox = Outbox(self.journal.stream, self.journal.acked)

    async def record(self, count: int, size: int = 40) -> None:
        """Records facts of ascending numbers."""
        drafts = []
        for _ in range(count):
            self.made += 1
            drafts.append(
                Draft(kind="input.refused", source="w", data=InputRefused(wire="w", why="x" * size, count=self.made))
            )
        await self.journal.put(drafts)

    async def close(self) -> None:
        """The process ends; everything stands in the one file."""
        await self.journal.close()
        db = sqlite3.connect(self.path)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    async def copy(self) -> None:
        """A copy of the file is kept for later; the process goes on as after a restart."""
        await self.close()
        self.copies.append(self.path.with_name(f"copy-{len(self.copies)}.sqlite"))
        shutil.copy(self.path, self.copies[-1])
        self.open()

    async def put_back(self, which: int) -> None:
        """An older file takes the place of the newer one."""
        await self.close()
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(self.copies[which], self.path)
        self.open()

    async def damage(self, *pages: int) -> None:
        """Leaves of the events are overwritten (by their order in the tree), and the process begins again."""
        await self.close()
        leaves = pages_of(self.path, "events")
        for page in pages:
            overwrite(self.path, leaves[page % len(leaves)])
        self.open()

    async def talk(self, batches: int = 10_000, *, deaf: bool = False) -> None:
        """A connection until everything is acknowledged, or until it is cut after so many batches.

        `deaf`: the hub's answers are lost.
        """
        assert await self.journal.on_disk(within_s=20)
        self.outbox.connected()
        await self._ask("birth", deaf=deaf)
        for _ in range(400):
            if batches == 0 or self.outbox.acked == self.journal.last:
                break
            if self.outbox.asks(self.now):
                await self._ask("alive", deaf=deaf)
            after = self.outbox.next_after(self.journal.durable, self.now)
            if after is None:
                self.now += 1.0
                continue
            try:
                batch = await self.journal.batch(after)
            except (BrokenChain, NotHeld) as error:
                self.outbox.broken(after, str(error))
                continue
            assert batch is not None
            batches -= 1
            self.outbox.sent(batch.events[-1].seq, self.now, batch.head)
            found = arrived(NAME, "events", batch)
            await self.hub.facts([found])
            await self._heard(deaf=deaf)
        self.outbox.disconnected()
        self.now += 100.0

    async def _ask(self, state: str, *, deaf: bool) -> None:
        self.births += 1
        seq, head = self.journal.durable_head
        presence = Presence(
            state=state,  # type: ignore[arg-type]
            gateway=NAME,
            site="demo",
            at=f"2026-11-29T00:00:00.{self.births:03}Z",
            stream=self.journal.stream,
            head_seq=seq,
            head=head,
            asks=True,
            versions=Versions(software="1"),
        )
        self.outbox.asked(seq, head, self.now)
        found = arrived(NAME, "presence", presence, NOW_MS + self.births)
        await self.presences.seen(found)  # type: ignore[arg-type]
        await self._heard(deaf=deaf)

    async def _heard(self, *, deaf: bool) -> None:
        acks = [message for _, _, message in self.sent.messages if isinstance(message, Ack)]
        self.sent.messages.clear()
        for ack in () if deaf else acks:
            meaning = self.outbox.heard(ack, self.journal.floor, self.now)
            if isinstance(meaning, Told):
                meaning = self.outbox.compared(meaning, await self.journal.hash_at(meaning.seq), self.now)
            match meaning:
                case Freed(seq) | Rewound(seq):
                    self.journal.acknowledge(seq)
                case ForkNeeded(agreed, why):
                    await self.journal.fork(agreed, why)
                    self.forked += 1
                    self.outbox.restarted(self.journal.stream, self.now)
                    assert await self.journal.on_disk(within_s=20)

    async def at_hub(self) -> list[int]:
        """The numbers of the facts at the hub, in the order of its history."""
        found = await rows(self.database, "SELECT data::text FROM events WHERE kind = 'input.refused' ORDER BY id")
        return [int(msgspec.json.decode(str(row[0]))["count"]) for row in found]

    async def in_file(self) -> set[int]:
        """The numbers of the facts in the journal."""
        found: set[int] = set()
        after = 0
        while page := await self.journal.events(after=after, limit=1000):
            found |= {msgspec.json.decode(one.data)["count"] for one in page if one.kind == "input.refused"}
            after = page[-1].id
        return found


async def once_and_whole(site: Site) -> None:
    """Nothing is doubled, everything that the file holds is there, and every chain verifies."""
    at_hub = await site.at_hub()
    assert [number for number, times in Counter(at_hub).items() if times > 1] == []
    assert await site.in_file() <= set(at_hub)
    assert (await verify(site.database)).disagreements == []


async def told(site: Site, kind: str) -> list[bytes]:
    found = await rows(site.database, "SELECT data::text FROM events WHERE kind = :kind ORDER BY id", kind=kind)
    return [str(row[0]).encode() for row in found]


@pytest.fixture
async def site(database: Database, tmp_path: Path) -> Site:
    await enrolled(database, NAME)
    return Site(tmp_path, database)


async def test_an_older_journal_put_back_again_and_again_doubles_nothing(site: Site) -> None:
    """A copy made while events wait behind a fork, put back three times: each time they are moved once more."""
    await site.record(100)
    await site.talk()
    await site.copy()
    await site.record(50)
    await site.talk()
    await site.put_back(0)
    await site.record(60)
    await site.copy()
    for _ in range(3):
        await site.talk()
        await once_and_whole(site)
        await site.put_back(1)
    await site.talk()
    await once_and_whole(site)
    assert len(await site.at_hub()) == 210
    assert site.forked == 4
    await site.journal.close()


async def test_a_copy_made_after_the_fork_is_known_too(site: Site) -> None:
    await site.record(10)
    await site.copy()
    await site.record(10)
    await site.talk()
    await site.put_back(0)
    await site.record(300)
    await site.talk(batches=3)
    await site.copy()
    await site.record(5)
    await site.talk()
    for _ in range(2):
        await site.put_back(1)
        await site.record(5)
        await site.talk()
    await once_and_whole(site)
    await site.journal.close()


async def test_what_was_under_way_when_the_file_broke_is_not_doubled(site: Site) -> None:
    """The hub has 400 of which the gateway heard nothing; then one leaf in the middle is gone."""
    await site.record(1000)
    await site.talk(batches=2)
    acked = site.journal.acked
    await site.talk(batches=1, deaf=True)
    await site.talk(batches=1, deaf=True)
    stream = site.journal.stream
    await site.damage(12)
    assert site.journal.stream == stream
    assert site.journal.acked == acked
    await site.talk()
    await once_and_whole(site)
    [data] = await told(site, "journal.damaged")
    damaged = msgspec.json.decode(data, type=JournalDamaged)
    assert len(await site.at_hub()) == 1000 - damaged.missing
    await site.journal.close()


async def test_a_hole_that_the_hub_fills_costs_nothing(site: Site) -> None:
    """The lost leaf holds only what had arrived already: nothing is missing, nothing moves."""
    await site.record(300)
    await site.talk(batches=1)
    site.journal.acknowledge(0)
    await site.record(1)
    await site.damage(2)
    await site.talk()
    await once_and_whole(site)
    assert await site.at_hub() == list(range(1, 302))
    assert await told(site, "stream.forked") == []
    await site.journal.close()


async def test_the_fork_says_what_both_sides_have_and_what_is_lost(site: Site) -> None:
    await site.record(600)
    await site.talk(batches=1)
    stream = site.journal.stream
    await site.damage(-2)
    [event] = await site.journal.events(kind="journal.damaged")
    damaged = msgspec.json.decode(event.data, type=JournalDamaged)
    await site.talk()
    await once_and_whole(site)
    [data] = await told(site, "stream.forked")
    forked = msgspec.json.decode(data, type=StreamForked)
    [(held,)] = await rows(site.database, "SELECT head_seq FROM streams WHERE id = :id", id=stream)
    assert forked.old_stream == stream
    assert forked.agreed == held
    assert forked.missing == damaged.missing > 0
    assert len(await site.at_hub()) == 600 - damaged.missing
    await site.journal.close()


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_to_the_file_in_whatever_order(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    await site.record(30)
    for _ in range(14):
        match chance.choice(["record", "talk", "talk", "deaf", "copy", "back", "back", "damage", "restart"]):
            case "record":
                await site.record(chance.randint(1, 150))
            case "talk":
                await site.talk(chance.choice([1, 2, 10_000]))
            case "deaf":
                await site.talk(2, deaf=True)
            case "copy":
                await site.copy()
            case "back" if site.copies:
                await site.put_back(chance.randrange(len(site.copies)))
                await site.record(chance.randint(0, 20))
            case "damage":
                await site.damage(*(chance.randrange(1, 40) for _ in range(chance.randint(1, 2))))
            case _:
                await site.close()
                site.open()
    await site.talk()
    assert site.outbox.acked == site.journal.last
    await once_and_whole(site)
    await site.journal.close()
