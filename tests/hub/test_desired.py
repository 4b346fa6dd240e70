"""Desired state: every change a revision, and every gateway brought to the newest one."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from sqlalchemy import text

from contract.desired import Credential, Desired, Grant, Holder, Item
from hub.database.transactions import Database
from hub.desired import service
from hub.desired.publishing import DesiredPublishing
from hub.desired.steps import PART_BYTES, PART_ITEMS, Changed, Known, Step, cut, fitting, next_step
from tests.hub.senders import Journal, Sent, enrolled, rows

NOW = 1000.0

STEPS = [
    ("up to date", Known("demo", held=5), 5, None),
    ("nothing to hold yet", Known("demo"), 0, None),
    ("behind", Known("demo", held=3), 5, Step("delta", 3)),
    ("announces 0", Known("demo"), 5, Step("snapshot", 0)),
    ("the same is under way", Known("demo", held=3, base=3, sent=5, sent_at=NOW - 1), 5, None),
    ("on top of a delta", Known("demo", held=3, base=3, sent=4, sent_at=NOW - 1), 5, Step("delta", 4)),
    ("a change on top of a snapshot", Known("demo", held=0, base=0, sent=4, sent_at=NOW - 1), 5, Step("delta", 4)),
    ("unanswered for long", Known("demo", held=3, base=3, sent=5, sent_at=NOW - 11), 5, Step("delta", 3)),
    ("the step before was lost", Known("demo", held=3, base=4, sent=5, sent_at=NOW - 1, stalled=True), 5,
     Step("delta", 3)),
    ("forgot everything", Known("demo", held=0, base=3, sent=5, sent_at=NOW - 1, stalled=True), 5,
     Step("snapshot", 0)),
    ("much on top of each other", Known("demo", held=3, base=34, sent=35, sent_at=NOW - 1, unanswered=[*range(4, 36)]),
     36, None),
    ("holds more than the hub ever had", Known("demo", held=9), 5, Step("snapshot", 0, leap=True)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "known", "current", "step"), STEPS, ids=[case[0] for case in STEPS])
def test_the_next_step(name: str, known: Known, current: int, step: Step | None) -> None:
    assert name
    assert next_step(known, current, NOW) == step


def test_no_delta_builds_on_what_the_hub_never_had() -> None:
    assert next_step(Known("demo", held=40), 43, NOW, floor=41) == Step("snapshot", 0)
    assert next_step(Known("demo", held=41), 43, NOW, floor=41) == Step("delta", 41)


def changed_items(revisions: list[int], size: int = 10) -> list[Changed]:
    value = msgspec.Raw(b'"%s"' % (b"x" * size))
    return [Changed(revision, Item(kind="holder", id=str(n), value=value)) for n, revision in enumerate(revisions)]


@pytest.mark.parametrize(
    ("revisions", "size", "more", "fits"),
    [
        ([4, 4, 5], 10, False, (9, 3)),
        ([4, 4, 5], 10, True, (4, 2)),
        ([4, 5, 6], PART_BYTES // 2, False, (4, 1)),
        ([4, 4, 4], PART_BYTES // 2, False, None),
        ([*range(4, PART_ITEMS + 6)], 1, False, (PART_ITEMS + 3, PART_ITEMS)),
        ([], 10, False, (9, 0)),
    ],
    ids=["all", "the last one is cut off", "too large together", "one that is too large", "too many", "nothing"],
)
def test_a_delta_ends_where_a_revision_ends(
    revisions: list[int], size: int, more: bool, fits: tuple[int, int] | None
) -> None:
    found = fitting(changed_items(revisions, size), 9, more=more)
    assert (None if found is None else (found[0], len(found[1]))) == fits


def test_a_change_is_cut_into_what_one_message_carries() -> None:
    assert cut([10, 10]) == [2]
    assert cut([PART_BYTES - 10, 10, 11]) == [2, 1]
    assert cut([3 * PART_BYTES, 1]) == [1, 1]
    assert cut([1] * (PART_ITEMS + 1)) == [PART_ITEMS, 1]


async def change(database: Database, *items: service.Change, site: str = "demo") -> int:
    async with database.transaction(writes=True) as conn:
        return await service.changed(conn, site, items)


def holder(number: int, name: str = "") -> service.Change:
    return "holder", f"h-{number}", Holder(id=f"h-{number}", name=name or f"n{number}")


def shown(sent: Sent) -> list[tuple[str, int, int, list[tuple[str, bool]]]]:
    """(form, base, revision, [(id, dropped)]) of what was sent; forgets it."""
    found = [message for _, kind, message in sent.messages if kind == "desired"]
    sent.messages.clear()
    return [
        (one.form, one.base, one.revision, [(item.id, item.dropped) for item in one.items])
        for one in found
        if isinstance(one, Desired)
    ]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


async def test_changes_reach_the_gateway_and_only_what_it_lacks(database: Database) -> None:
    sent, clock, journal = Sent(), Clock(), Journal()
    desired = DesiredPublishing(database, sent, monotonic=clock)
    card = Credential(id="c-1", kind="card", value="04", holder="h-1")
    assert await change(database, holder(1), ("credential", "c-1", card)) == 1
    assert await change(database, holder(2)) == 2
    desired.heard("gw-1", "demo", journal.presence())
    await desired.bring("gw-1")
    assert shown(sent) == [("snapshot", 0, 2, [("c-1", False), ("h-1", False), ("h-2", False)])]
    await desired.bring("gw-1")
    assert shown(sent) == []

    grant = Grant(id="g-1", holder="h-1", places=["a"])
    assert await change(database, ("credential", "c-1", None), ("grant", "g-1", grant)) == 3
    await desired.bring("gw-1")
    assert shown(sent) == [("delta", 2, 3, [("c-1", True), ("g-1", False)])]
    desired.heard("gw-1", "demo", journal.presence("alive", desired=3))
    await desired.bring("gw-1")
    assert shown(sent) == []

    desired.heard("gw-1", "demo", journal.presence(desired=1))
    await desired.bring("gw-1")
    assert shown(sent) == [("delta", 1, 3, [("h-2", False), ("c-1", True), ("g-1", False)])]
    desired.heard("gw-1", "demo", journal.presence(desired=0))
    await desired.bring("gw-1")
    assert shown(sent) == [("snapshot", 0, 3, [("h-1", False), ("h-2", False), ("g-1", False)])]


async def test_a_lost_delta_is_found_by_what_the_gateway_says(database: Database) -> None:
    sent, journal = Sent(), Journal()
    desired = DesiredPublishing(database, sent, monotonic=Clock())
    await change(database, holder(1))
    desired.heard("gw-1", "demo", journal.presence(desired=1))
    for number in (2, 3):
        await change(database, holder(number))
        await desired.bring("gw-1")
    assert [one[1:3] for one in shown(sent)] == [(1, 2), (2, 3)]
    desired.heard("gw-1", "demo", journal.presence("alive", desired=1))
    await desired.bring("gw-1")
    assert shown(sent) == [("delta", 1, 3, [("h-2", False), ("h-3", False)])]


async def test_a_restored_hub_goes_beyond_what_the_gateway_holds(database: Database) -> None:
    sent = Sent()
    desired = DesiredPublishing(database, sent, monotonic=Clock())
    await change(database, holder(1))
    desired.heard("gw-1", "demo", Journal().presence(desired=40))
    await desired.bring("gw-1")
    assert shown(sent) == [("snapshot", 0, 41, [("h-1", False)])]


async def test_while_the_broker_is_away_nothing_counts_as_sent(database: Database) -> None:
    sent = Sent()
    sent.open = False
    desired = DesiredPublishing(database, sent, monotonic=Clock())
    await change(database, holder(1))
    desired.heard("gw-1", "demo", Journal().presence(desired=0))
    assert not await desired.bring("gw-1")
    sent.open = True
    desired.heard("gw-1", "demo", Journal().presence("alive", desired=0))
    await desired.bring("gw-1")
    assert [one[0] for one in shown(sent)] == ["snapshot"]


async def test_a_change_wakes_the_publishing_of_its_site_only(database: Database) -> None:
    sent = Sent()
    desired = DesiredPublishing(database, sent)
    database.subscribe(desired.told)
    await change(database, holder(1), site="demo")
    await change(database, holder(1), site="other")
    running = asyncio.create_task(desired.run())
    desired.heard("gw-1", "demo", Journal().presence(desired=1))
    desired.heard("gw-2", "other", Journal("gw-2").presence(desired=1))
    await change(database, holder(2), site="demo")
    await sent.something.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [gateway for gateway, _, _ in sent.messages] == ["gw-1"]


async def test_a_change_that_is_rolled_back_leaves_no_revision(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction(writes=True) as conn:
            await service.changed(conn, "demo", [holder(1)])
            raise RuntimeError
    assert await rows(database, "SELECT count(*) FROM desired_items") == [(0,)]
    assert await change(database, holder(1)) == 1


async def test_a_gateway_whose_birth_went_by_unheard_is_sent_what_it_lacks(database: Database) -> None:
    """It connected while the hub was away: its last known revision is what counts."""
    await enrolled(database, "gw-1", "gw-2")
    await change(database, holder(1))
    async with database.transaction() as conn:
        await conn.execute(text("UPDATE gateways SET desired = 1 WHERE id = 'gw-2'"))
    sent = Sent()
    running = asyncio.create_task(DesiredPublishing(database, sent).run())
    await sent.something.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [(gateway, kind) for gateway, kind, _ in sent.messages] == [("gw-1", "desired")]
