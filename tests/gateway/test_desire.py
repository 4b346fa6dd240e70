"""What the hub sends down becomes what the gateway decides by, at once and after a restart, whatever the disk does."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.desired import Account, Credential, Desired, Grant, Holder, Item
from gateway.clock import Clock
from gateway.desired.applying import AT_ONCE, FROZEN_PARTS, Desire
from gateway.desired.held import Held
from gateway.engine.desk.timers import LoopTimers
from gateway.web.served import People
from tests.gateway.deciding import Decisions, delta, gone, holder, item, snapshot
from tests.gateway.disks import FaultyDisk, until
from tests.gateway.engine_site import RESIDENT, Yard, yard

CARD = Credential(id="c-1", kind="card", value=RESIDENT, holder="h-1")
GUARD = Account(
    id="a-1", username="Guard", name="Wang", role="guard", password_hash="x", expires_at="2030-01-01T00:00:00.000Z"
)
WHOLE = snapshot(
    20,
    item("holder", Holder(id="h-1", name="张三")),
    item("credential", CARD),
    item("grant", Grant(id="g-1", holder="h-1", places=["lobby"])),
    item("account", GUARD),
)
REVOKED = delta(20, 21, item("credential", msgspec.structs.replace(CARD, state="revoked")))


@asynccontextmanager
async def following(here: Yard, folder: Path, disk: FaultyDisk | None = None) -> AsyncIterator[tuple[Desire, People]]:
    held = Held.open(folder / "held.sqlite", clock=here.engine.clock, disk=disk)
    people = People({}, {})
    desire = Desire(held, here.engine, people, here.time)
    desire.load()
    desire.start()
    try:
        yield desire, people
    finally:
        if disk is not None:
            disk.heal()
        await held.close()


Opener = Callable[[], tuple[Desire, Decisions]]


@pytest.fixture
async def desires(tmp_path: Path) -> AsyncIterator[Opener]:
    made: list[Held] = []

    def opener() -> tuple[Desire, Decisions]:
        decisions = Decisions()
        made.append(Held.open(tmp_path / "held.sqlite", clock=Clock()))
        desire = Desire(made[-1], decisions, People({}, {}), LoopTimers())
        desire.load()
        return desire, decisions

    yield opener
    for held in made:
        await held.close()


async def test_a_revoked_card_is_refused_as_soon_as_the_step_is_taken(tmp_path: Path) -> None:
    async with yard(tmp_path) as here, following(here, tmp_path) as (desire, people):
        await here.card(RESIDENT)
        await desire.take(WHOLE)
        await here.card(RESIDENT)
        await desire.take(REVOKED)
        await here.card(RESIDENT)
        decided = await here.events("access.granted", "access.denied")
        assert [data["reason"]["code"] for _, _, data in decided] == ["unknown_card", "granted", "revoked"]
        assert [data["revision"] for _, _, data in decided] == [0, 20, 21]
        applied = [(data["revision"], data["items"]) for _, _, data in await here.events("desired.applied")]
        assert applied == [(20, 4), (21, 1)]
        assert list(people.accounts) == ["guard"]
        assert people.holders["h-1"].name == "张三"


async def test_what_is_held_decides_after_a_restart_without_a_word_from_the_hub(tmp_path: Path) -> None:
    async with yard(tmp_path) as here, following(here, tmp_path) as (desire, _):
        await desire.take(WHOLE)
    async with yard(tmp_path, here.time) as again, following(again, tmp_path) as (_, people):
        await again.card(RESIDENT)
        assert [data["revision"] for _, _, data in await again.events("access.granted")] == [20]
        assert len(await again.events("desired.applied")) == 1
        assert list(people.accounts) == ["guard"]


@pytest.mark.parametrize("fault", ["full", "hangs"])
async def test_a_revoked_card_is_refused_although_the_disk_does_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("gateway.desired.held._PAUSES_S", (0.01,))
    monkeypatch.setattr("gateway.desired.held.LATE_S", 0.02)
    disk = FaultyDisk()
    async with yard(tmp_path) as here, following(here, tmp_path, disk) as (desire, _):
        await desire.take(WHOLE)
        if fault == "full":
            disk.commit_error = sqlite3.OperationalError("database or disk is full")
        else:
            disk.hang_commits()
        await desire.take(REVOKED)
        assert (here.engine.revision, desire.announced) == (21, 21)
        await here.card(RESIDENT)
        assert [data["reason"]["code"] for _, _, data in await here.events("access.denied")] == ["revoked"]
        await until(lambda: here.engine.alarms.present(f"rights.not_stored@{here.engine.site.gateway}"))
        disk.heal()
        await until(lambda: not here.engine.alarms.present(f"rights.not_stored@{here.engine.site.gateway}"))


async def test_after_a_restart_from_an_older_disk_the_older_revision_is_announced(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with yard(tmp_path) as here, following(here, tmp_path, disk) as (desire, _):
        await desire.take(WHOLE)
        await until(lambda: desire._held.revision == 20)
        disk.hang_commits()
        await desire.take(REVOKED)
        copy = tmp_path / "older"
        copy.mkdir()
        for file in tmp_path.glob("held.sqlite*"):
            (copy / file.name).write_bytes(file.read_bytes())
    async with yard(tmp_path, here.time) as again, following(again, copy) as (desire, _):
        assert desire.announced == 20
        await desire.take(REVOKED)
        assert desire.announced == 21


async def test_revisions_that_are_known_of_but_not_in_force_raise_an_alarm_after_a_minute(tmp_path: Path) -> None:
    async with yard(tmp_path) as here, following(here, tmp_path) as (desire, _):
        behind = f"rights.behind@{here.engine.site.gateway}"
        await desire.take(WHOLE)
        await desire.take(delta(30, 31))
        here.time.pass_by(59)
        assert not here.engine.alarms.present(behind)
        here.time.pass_by(2)
        assert here.engine.alarms.present(behind)
        await desire.take(delta(20, 31))
        assert not here.engine.alarms.present(behind)


# --- Which steps fit


async def test_a_new_gateway_holds_nothing_and_asks(desires: Opener) -> None:
    desire, _ = desires()
    assert desire.announced == 0
    assert dict(desire.holders) == {}


async def test_a_whole_replaces_everything(desires: Opener) -> None:
    desire, decisions = desires()
    assert await desire.take(snapshot(3, holder("li"), item("credential", CARD)))
    await desire.take(snapshot(7, holder("wang")))
    assert list(desire.holders) == ["wang"]
    assert not decisions.index.credentials
    assert (desire.announced, decisions.applied) == (7, [(3, 2), (7, 1)])


async def test_a_delta_changes_and_removes(desires: Opener) -> None:
    desire, _ = desires()
    await desire.take(snapshot(1, holder("li"), holder("wang")))
    before = desire.holders
    changed = Holder(id="wang", name="Wang Er", kind="staff")
    await desire.take(delta(1, 2, gone("holder", "li"), item("holder", changed)))
    assert dict(desire.holders) == {"wang": changed}
    assert set(before) == {"li", "wang"}


async def test_within_a_step_the_last_word_counts(desires: Opener) -> None:
    desire, _ = desires()
    await desire.take(snapshot(1, holder("li"), gone("holder", "li"), gone("holder", "wang"), holder("wang")))
    assert list(desire.holders) == ["wang"]


@pytest.mark.parametrize(
    ("step", "revision"),
    [(delta(3, 4), 4), (delta(2, 4), 4), (delta(1, 4), 4), (delta(4, 5), 3), (delta(2, 3), 3), (delta(1, 2), 3)],
    ids=["fits", "from before", "from long before", "a gap", "a repeat", "older"],
)
async def test_a_delta_fits_whose_range_covers_what_is_held(desires: Opener, step: Desired, revision: int) -> None:
    desire, _ = desires()
    await desire.take(snapshot(3, holder("li")))
    step = msgspec.structs.replace(step, items=[gone("holder", "li")])
    assert await desire.take(step)
    assert desire.announced == revision
    assert list(desire.holders) == ([] if revision > 3 else ["li"])


async def test_parts_in_any_order_take_force_at_once_when_all_are_there(desires: Opener) -> None:
    desire, decisions = desires()
    await desire.take(snapshot(1, holder("old")))
    for part, name in ((3, "c"), (1, "a"), (1, "a")):
        await desire.take(snapshot(2, holder(name), part=part, parts=3))
    assert list(desire.holders) == ["old"]
    assert (desire.announced, desire.receiving) == (1, (2, 1))
    assert await desire.take(snapshot(2, holder("b"), part=2, parts=3))
    assert set(desire.holders) == {"a", "b", "c"}
    assert (desire.announced, desire.receiving) == (2, (0, 0))
    assert decisions.applied[-1] == (2, 3)


async def test_a_delta_in_parts_takes_force_as_one(desires: Opener) -> None:
    desire, decisions = desires()
    await desire.take(snapshot(1, holder("li")))
    await desire.take(delta(1, 2, gone("holder", "li"), part=1, parts=2))
    assert list(desire.holders) == ["li"]
    await desire.take(delta(1, 2, holder("wang"), part=2, parts=2))
    assert list(desire.holders) == ["wang"]
    assert decisions.applied == [(1, 1), (2, 2)]


async def test_a_change_does_not_wait_for_the_parts_of_a_whole(desires: Opener) -> None:
    desire, _ = desires()
    await desire.take(snapshot(1, holder("li")))
    await desire.take(snapshot(5, holder("a"), part=1, parts=2))
    await desire.take(delta(1, 2, gone("holder", "li")))
    assert (list(desire.holders), desire.announced, desire.receiving) == ([], 2, (5, 1))
    await desire.take(snapshot(5, holder("b"), part=2, parts=2))
    assert (set(desire.holders), desire.announced) == ({"a", "b"}, 5)


async def test_parts_of_another_revision_begin_anew(desires: Opener) -> None:
    desire, _ = desires()
    await desire.take(snapshot(2, holder("a"), part=1, parts=2))
    await desire.take(snapshot(3, holder("b"), part=2, parts=2))
    await desire.take(snapshot(2, holder("c"), part=2, parts=2))
    await desire.take(snapshot(2, holder("d"), part=1, parts=2))
    assert set(desire.holders) == {"c", "d"}


async def test_a_part_beyond_the_parts_is_nothing(desires: Opener) -> None:
    desire, _ = desires()
    await desire.take(snapshot(2, holder("a"), part=3, parts=2))
    assert (desire.announced, desire.receiving) == (0, (2, 0))


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
async def test_a_whole_made_ready_in_bits_is_the_whole(desires: Opener, count: int) -> None:
    desire, decisions = desires()
    await desire.take(snapshot(1, holder("before")))
    names = {f"h-{number}" for number in range(count)}
    await desire.take(snapshot(2, *(holder(name) for name in sorted(names))))
    assert (desire.announced, set(desire.holders)) == (2, names)
    await asyncio.wait_for(desire._held.close(), 20)
    again, decisions = desires()
    assert (again.announced, set(decisions.index.holders)) == (2, names)


async def test_an_item_that_does_not_fit_its_kind_opens_nothing(desires: Opener) -> None:
    desire, decisions = desires()
    await desire.take(snapshot(1, holder("li"), item("credential", CARD)))
    bad = Item(kind="credential", id="c-1", value=msgspec.Raw(b'{"id":"c-1","kind":"tattoo"}'))
    odd = Item(kind="of_a_later_version", id="x", value=msgspec.Raw(b"[1]"))
    await desire.take(delta(1, 2, bad, odd, holder("wang")))
    assert not decisions.index.credentials
    assert set(desire.holders) == {"li", "wang"}
    await asyncio.wait_for(desire._held.close(), 20)
    again, decisions = desires()
    assert (again.announced, dict(decisions.index.credentials)) == (2, {})


async def test_a_whole_that_arrives_is_not_looked_through_for_garbage_again_and_again(desires: Opener) -> None:
    desire, _ = desires()
    gc.collect()
    gc.freeze()
    parts, looked_through = 3 * FROZEN_PARTS, list[int]()
    for part in range(1, parts):
        items = [
            item("credential", Credential(id=f"c-{part}-{n}", kind="card", value=f"04{part:04X}{n:06X}", holder="h"))
            for n in range(500)
        ]
        await desire.take(snapshot(9, *items, part=part, parts=parts))
        looked_through.append(len(gc.get_objects()))
    # Each part touches hundreds of shards more; what is searched begins anew every few parts.
    assert min(looked_through[-FROZEN_PARTS:]) < max(looked_through[:FROZEN_PARTS])


changes = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.booleans()), max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), changes), max_size=8))
async def test_after_any_steps_memory_and_file_agree(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[bool, list[tuple[str, bool]]]]
) -> None:
    path = tmp_path_factory.mktemp("held") / "held.sqlite"
    held = Held.open(path, clock=Clock())
    desire = Desire(held, Decisions(), People({}, {}), LoopTimers())
    expected: set[str] = set()
    for revision, (whole, changed) in enumerate(made, start=1):
        items = [holder(name) if there else gone("holder", name) for name, there in changed]
        await desire.take(snapshot(revision, *items) if whole else delta(revision - 1, revision, *items))
        expected = set() if whole else expected
        for name, there in changed:
            expected = expected | {name} if there else expected - {name}
    assert set(desire.holders) == expected
    await held.close()
    held = Held.open(path, clock=Clock())
    again = Desire(held, Decisions(), People({}, {}), LoopTimers())
    again.load()
    assert (set(again.holders), again.announced) == (expected, len(made))
    await held.close()


async def test_a_whole_that_is_no_newer_than_what_is_in_force_undoes_nothing(desires: Opener) -> None:
    desire, _ = desires()
    await desire.take(snapshot(1, holder("li"), holder("wang")))
    await desire.take(snapshot(2, holder("li"), part=1, parts=2))
    await desire.take(delta(1, 3, gone("holder", "li")))
    assert await desire.take(snapshot(2, holder("wang"), part=2, parts=2))
    assert await desire.take(snapshot(1, holder("li")))
    assert (list(desire.holders), desire.announced, desire.receiving) == (["wang"], 3, (0, 0))
    desire._held.wants_all = True
    await desire.take(snapshot(3, holder("zhao")))
    assert list(desire.holders) == ["zhao"]
