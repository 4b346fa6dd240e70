"""Much desired state: in parts, a few at a time, over cuts and restarts; nothing is lost."""

from __future__ import annotations

import msgspec
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from contract.desired import Desired, Holder
from contract.presence import Presence
from hub.database.transactions import Database
from hub.desired import service
from hub.desired.publishing import DesiredPublishing
from hub.desired.steps import UNDER_WAY
from hub.migrations.versions import desired_floor
from tests.hub.senders import Journal, Sent, rows

ITEMS = 150


@pytest.fixture(autouse=True)
def small_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("steps", "service", "publishing"):
        monkeypatch.setattr(f"hub.desired.{module}.PART_ITEMS", 3)


def holder(number: int, name: str = "x") -> service.Change:
    return "holder", f"h-{number:03}", Holder(id=f"h-{number:03}", name=name)


class Far:
    """A gateway at the other end: takes what was sent as the real one does, and says how it stands."""

    def __init__(self, desired: DesiredPublishing, sent: Sent) -> None:
        self._desired = desired
        self._sent = sent
        self.held = 0
        self.names: dict[str, bytes] = {}
        self.parts: dict[int, Desired] = {}
        self.steps: list[tuple[str, int, int]] = []
        self.of = 0
        self.most = 0

    async def say(self, state: str = "alive") -> None:
        """A sign of life; the hub sends what it wants to."""
        coming = next(iter(self.parts.values()), None)
        presence = Journal().presence(state, desired=self.held)
        versions = msgspec.structs.replace(
            presence.versions,
            receiving=0 if coming is None else coming.revision,
            parts=next((n for n in range(len(self.parts) + 1) if n + 1 not in self.parts), 0),
        )
        heard: Presence = msgspec.structs.replace(presence, versions=versions)
        self._desired.heard("gw-1", "demo", heard)
        await self.drain()

    async def drain(self) -> None:
        while self._desired._behind:
            await self._desired.bring(self._desired._behind.pop())

    def take(self, most: int = 1000) -> int:
        """Takes messages that were sent; how many there were."""
        messages = [one for _, kind, one in self._sent.messages if isinstance(one, Desired)][:most]
        del self._sent.messages[: len(messages)]
        for step in messages:
            self.steps.append((step.form, step.base, step.revision))
            self._take(step)
        return len(messages)

    def lose(self) -> None:
        """What was sent is lost with the connection."""
        self._sent.messages.clear()

    def _take(self, step: Desired) -> None:
        self.most = max(self.most, len(step.items))
        if step.form == "delta" and not step.base <= self.held < step.revision:
            return
        if any(part.revision != step.revision for part in self.parts.values()):
            self.parts.clear()
        self.parts[step.part] = step
        self.of = step.parts
        if len(self.parts) < step.parts:
            return
        if step.form == "snapshot":
            self.names = {}
        for _, part in sorted(self.parts.items()):
            for item in part.items:
                self.names.pop(item.id, None)
                if not item.dropped:
                    self.names[item.id] = bytes(item.value)
        self.parts.clear()
        self.held = step.revision


@pytest.fixture
async def far(database: Database) -> Far:
    sent = Sent()
    desired = DesiredPublishing(database, sent)
    database.subscribe(desired.told)
    return Far(desired, sent)


async def change(database: Database, *items: service.Change) -> int:
    async with database.transaction(writes=True) as conn:
        return await service.changed(conn, "demo", items)


async def wanted(database: Database) -> set[str]:
    found = await rows(database, "SELECT id FROM desired_items WHERE site = 'demo' AND value IS NOT NULL")
    return {str(name) for (name,) in found}


async def settle(far: Far) -> None:
    for _ in range(200):
        await far.drain()
        if not far.take():
            return
        await far.say()
    raise AssertionError("it never ends")


async def test_a_large_change_is_several_revisions(database: Database) -> None:
    assert await change(database, *(holder(n) for n in range(7))) == 3
    assert await change(database, holder(1), holder(1, "y"), holder(1, "z")) == 4
    assert await rows(database, "SELECT count(*) FROM desired_items") == [(7,)]
    assert await rows(database, "SELECT value ->> 'name' FROM desired_items WHERE id = 'h-001'") == [("z",)]


async def test_a_whole_comes_a_few_parts_at_a_time(database: Database, far: Far) -> None:
    await change(database, *(holder(n) for n in range(ITEMS)))
    await far.say("birth")
    assert far.take() == UNDER_WAY
    # Nothing more before the gateway says that they have come.
    await far.drain()
    assert far.take() == 0
    await far.say()
    await settle(far)
    assert set(far.names) == await wanted(database)
    assert {form for form, _, _ in far.steps} == {"snapshot"}


async def test_a_change_while_a_whole_is_under_way_is_not_lost(database: Database, far: Far) -> None:
    await change(database, *(holder(n) for n in range(ITEMS)))
    await far.say("birth")
    far.take()
    revision = await change(database, ("holder", "h-000", None), holder(59, "new"), holder(77))
    await far.say()
    await settle(far)
    assert far.held == revision
    assert set(far.names) == await wanted(database)
    assert b"new" in far.names["h-059"]


@pytest.mark.parametrize("restarted", [False, True], ids=["the gateway goes on", "the gateway has forgotten"])
async def test_a_cut_in_the_middle_loses_nothing(database: Database, far: Far, restarted: bool) -> None:
    await change(database, *(holder(n) for n in range(ITEMS)))
    await far.say("birth")
    far.take(5)
    far.lose()
    if restarted:
        far.parts.clear()
    await far.say("birth")
    assert min(one.part for _, _, one in far._sent.messages if isinstance(one, Desired)) == (1 if restarted else 6)
    await settle(far)
    assert set(far.names) == await wanted(database)


@pytest.mark.parametrize("state", ["birth", "alive"])
async def test_a_whole_whose_parts_have_outgrown_a_message_is_cut_anew(
    database: Database, far: Far, state: str
) -> None:
    await change(database, *(holder(n) for n in range(ITEMS)))
    await far.say("birth")
    far.take(5)
    far.lose()
    # All of them belong into one part that was cut before.
    await change(database, *(holder(n) for n in range(ITEMS, 2 * ITEMS)))
    await far.say(state)
    await far.say("birth")
    await settle(far)
    assert set(far.names) == await wanted(database)
    assert far.most <= 6


async def test_a_hub_that_restarts_goes_on_where_it_was(database: Database, far: Far) -> None:
    await change(database, *(holder(n) for n in range(ITEMS)))
    await far.say("birth")
    far.take(5)
    far.lose()
    far._desired = DesiredPublishing(database, far._sent)
    await far.say()
    await settle(far)
    assert set(far.names) == await wanted(database)
    assert len(far.steps) == far.of


async def test_a_long_absence_is_made_up_by_deltas(database: Database, far: Far) -> None:
    await change(database, *(holder(n) for n in range(ITEMS)))
    await far.say("birth")
    await settle(far)
    far.steps.clear()
    for number in range(0, ITEMS, 2):
        await change(database, ("holder", f"h-{number:03}", None))
    far.lose()
    await far.say("birth")
    await settle(far)
    assert {form for form, _, _ in far.steps} == {"delta"}
    assert set(far.names) == await wanted(database)


async def test_a_revision_of_before_that_fits_into_no_message_comes_in_parts(database: Database, far: Far) -> None:
    first = await change(database, holder(100))
    await far.say("birth")
    await settle(far)
    await change(database, *(holder(n) for n in range(10)))
    async with database.transaction() as conn:
        await conn.execute(text("UPDATE desired_items SET revision = 5 WHERE id < 'h-1'"))
        await conn.execute(text("UPDATE desired_revisions SET revision = 5"))
    await far.say()
    await settle(far)
    assert far.held == 5
    assert set(far.names) == await wanted(database)
    assert set(far.steps[1:]) == {("delta", first, 5)}


async def test_a_restored_hub_sends_a_whole_even_if_it_restarts_and_goes_on(database: Database, far: Far) -> None:
    await change(database, holder(1))
    far.held, far.names = 40, {"h-forgotten": b""}
    await far.say("birth")
    far.lose()
    await change(database, holder(2))
    far._desired = DesiredPublishing(database, far._sent)
    await far.say("birth")
    await settle(far)
    assert set(far.names) == {"h-001", "h-002"}


async def test_the_schema_before_is_migrated(database: Database) -> None:
    def step(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            desired_floor.upgrade()

    async with database.transaction() as conn:
        await conn.execute(text("ALTER TABLE desired_revisions DROP COLUMN floor"))
        await conn.execute(text("INSERT INTO desired_revisions (site, revision) VALUES ('old', 7)"))
        await conn.run_sync(step)
        assert await service.standing(conn, "old") == (7, 0)
