"""One gateway sends what costs much to read: only itself is slower for it, and nobody waits in order behind it."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Callable, Sequence

import msgspec
import pytest

from contract import wire
from contract.events import Batch
from contract.limits import READINGS_LIMIT
from contract.readings import Column, ReadingsBatch
from contract.topics import UpTopic
from hub.database.transactions import Database
from hub.ingest import worker
from hub.ingest.accept import Answer
from hub.ingest.arrivals import MessageRefused, PictureArrived, PresenceArrived, ReadingsArrived, weighed
from hub.ingest.handover import Message
from hub.ingest.worker import GROUP_BYTES, Ingest
from tests.hub.senders import NOW_MS, STREAM, Journal, Sent, enrolled, rows

FLOOD = UpTopic("s1", "gw-flood", "telemetry")


def bomb(readings: int, seq: int = 1) -> bytes:
    """Very many readings in very few bytes, made without the checks of whoever is honest."""
    column = Column(point="pump-1.flow", at=[1] * readings, values=[1] * readings, quality=["bad"] * readings)
    batch = ReadingsBatch(store="f" * 32, seq=seq, oldest=1, columns=[column])
    return zlib.compress(msgspec.json.encode(batch), 9)


def heavy_events() -> bytes:
    """An event of 14 MB in some kilobytes."""
    journal = Journal("gw-flood", "f" * 32)
    journal.record("teapot.boiled", b'"' + b"x" * 14_000_000 + b'"')
    return zlib.compress(msgspec.json.encode(journal.batch(1, 1)), 9)


BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "1.5 million readings": lambda: ("telemetry", bomb(1_500_000)),
    "as many readings as fit in what is unpacked": lambda: ("telemetry", bomb(300_000)),
    "an event of 14 MB": lambda: ("events", heavy_events()),
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused_and_weighs_what_it_cost(case: str) -> None:
    kind, payload = BOMBS[case]()
    assert len(payload) < 20_000
    found = weighed(UpTopic("s1", "gw-flood", kind), payload, NOW_MS)
    assert isinstance(found.arrival, MessageRefused)
    assert 3_000_000 < found.cost <= max(wire.UNPACKED_LIMITS[Batch], wire.UNPACKED_LIMITS[ReadingsBatch])


def test_short_readings_weigh_by_their_number() -> None:
    found = weighed(FLOOD, bomb(READINGS_LIMIT), NOW_MS)
    assert isinstance(found.arrival, ReadingsArrived)
    assert found.cost == 2_000_000


class Lanes:
    """An ingest whose storing is only noted: gateway by gateway, in the order in which it was handed over."""

    def __init__(self, database: Database) -> None:
        self.stored: list[tuple[str, int]] = []
        self.signs: list[str] = []
        self.groups: list[int] = []
        self.changed = asyncio.Event()
        self.ingest = Ingest(database, {}, Sent(), self, self.store, now_ms=lambda: NOW_MS)

    async def seen(self, arrived: PresenceArrived) -> None:
        self.signs.append(arrived.gateway)
        self.changed.set()

    async def store(self, arrived: Sequence[ReadingsArrived | PictureArrived]) -> list[Answer]:
        blobs = [one for one in arrived if isinstance(one, ReadingsArrived)]
        self.groups.append(sum(len(column.at) for one in blobs for column in one.batch.columns))
        self.stored += [(one.gateway, one.batch.seq) for one in blobs]
        self.changed.set()
        return []

    async def until(self, reached: Callable[[], bool]) -> None:
        """Run the lanes until something that changes here is reached."""
        running = asyncio.create_task(self.ingest.run())
        while not reached():
            self.changed.clear()
            await self.changed.wait()
        running.cancel()

    def send(self, gateway: str, kind: str, payload: bytes) -> None:
        assert self.ingest.receive(Message(UpTopic("s1", gateway, kind), payload, NOW_MS))


def few_readings(seq: int) -> bytes:
    column = Column(point="pump-2.flow", at=[seq], values=[1.5], quality=["good"])
    return wire.encode(ReadingsBatch(store="b" * 32, seq=seq, oldest=1, columns=[column]))


async def test_behind_a_flood_of_readings_others_have_their_turn(database: Database) -> None:
    lanes = Lanes(database)
    for seq in range(1, 31):
        lanes.send("gw-flood", "telemetry", bomb(READINGS_LIMIT, seq))
    for seq in range(1, 11):
        lanes.send("gw-calm", "telemetry", few_readings(seq))
    await lanes.until(lambda: len(lanes.stored) == 40)
    calm = [place for place, (gateway, _) in enumerate(lanes.stored) if gateway == "gw-calm"]
    # At the most one group of the flood was in hand before each: the rest of it waits for its own cost.
    assert max(calm) <= 12
    assert [seq for gateway, seq in lanes.stored if gateway == "gw-flood"] == list(range(1, 31))
    assert [seq for gateway, seq in lanes.stored if gateway == "gw-calm"] == list(range(1, 11))
    # No transaction has more of it than may be read together, and a message.
    assert max(lanes.groups) <= 2 * READINGS_LIMIT + 10


async def test_behind_a_flood_of_bombs_a_card_and_a_birth_go_through(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enrolled(database, "gw-flood", "gw-1")
    read: list[tuple[str, bool]] = []
    loop = asyncio.get_running_loop()

    def noted(topic: UpTopic, payload: bytes, at_ms: int) -> object:
        read.append((topic.gateway, threading.current_thread() is threading.main_thread()))
        loop.call_soon_threadsafe(lanes.changed.set)
        return weighed(topic, payload, at_ms)

    lanes = Lanes(database)
    monkeypatch.setattr(worker, "weighed", noted)
    heavy = heavy_events()
    for _ in range(40):
        lanes.send("gw-flood", "events", heavy)
    journal = Journal().record_many(2)
    lanes.send("gw-1", "events", wire.encode(journal.batch(1, 2)))
    lanes.send("gw-1", "presence", wire.encode(journal.presence()))
    await lanes.until(lambda: len(read) == 42)
    mine = [place for place, (gateway, _) in enumerate(read) if gateway == "gw-1"]
    assert max(mine) <= 4
    assert lanes.signs == ["gw-1"]
    assert await rows(database, "SELECT stream, seq FROM events WHERE gateway = 'gw-1' ORDER BY id") == [
        (STREAM, 1), (STREAM, 2),
    ]  # fmt: skip
    # One a minute is told, however many came; and none of them was unpacked where everybody's requests are answered.
    assert await rows(database, "SELECT count(*) FROM events WHERE kind = 'batch.refused'") == [(1,)]
    assert not any(on_loop for gateway, on_loop in read if gateway == "gw-flood")


async def test_the_loop_goes_on_while_a_bomb_is_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as reading lasts, by its own word, the loop turns: it would wait for itself if it did not."""
    turned = threading.Event()

    def slow(topic: UpTopic, payload: bytes, at_ms: int) -> object:
        assert turned.wait(30), "the loop stood still while a message was read"
        return weighed(topic, payload, at_ms)

    monkeypatch.setattr(worker, "weighed", slow)
    lanes = Lanes(database)
    lanes.send("gw-flood", "telemetry", bomb(300_000))
    running = asyncio.create_task(lanes.ingest.run())
    await asyncio.sleep(0.01)
    turned.set()
    await asyncio.sleep(0)
    running.cancel()


def test_what_is_read_together_is_bounded_and_the_rest_goes_back() -> None:
    bombs = [Message(FLOOD, bomb(READINGS_LIMIT, seq), NOW_MS) for seq in range(1, 5)]
    found = worker._read(bombs)
    assert len(found) == 1
    assert found[0].cost >= GROUP_BYTES
