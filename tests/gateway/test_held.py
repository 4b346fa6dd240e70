"""The desired state held: steps in any order, parts, what does not fit, restarts, a disk that refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.desired import NOTHING, Account, Credential, Desired, Grant, Holder, Item
from gateway.clock import Clock
from gateway.held import Applied, Held

Opener = Callable[[], Held]


@pytest.fixture
async def holds(tmp_path: Path) -> AsyncIterator[Opener]:
    made: list[Held] = []

    def opener() -> Held:
        made.append(Held.open(tmp_path / "held.sqlite", clock=Clock()))
        return made[-1]

    yield opener
    for held in made:
        await held.close()


def item(kind: str, value: msgspec.Struct) -> Item:
    return Item(kind=kind, id=value.id, value=msgspec.Raw(msgspec.json.encode(value)))  # type: ignore[attr-defined]


def holder(name: str) -> Item:
    return item("holder", Holder(id=name, name=name.title()))


def gone(kind: str, name: str) -> Item:
    return Item(kind=kind, id=name, value=NOTHING)


def snapshot(revision: int, *items: Item, part: int = 1, parts: int = 1) -> Desired:
    return Desired(form="snapshot", revision=revision, items=list(items), part=part, parts=parts)


def delta(base: int, revision: int, *items: Item) -> Desired:
    return Desired(form="delta", base=base, revision=revision, items=list(items))


async def test_a_new_gateway_holds_nothing_and_asks(holds: Opener) -> None:
    held = holds()
    assert (held.revision, held.announced) == (0, 0)
    assert held.of(Holder) == {}


async def test_a_snapshot_replaces_everything(holds: Opener) -> None:
    held = holds()
    card = Credential(id="c1", kind="card", value="04A1B2C3D4E5F6", holder="li")
    assert await held.apply(snapshot(3, holder("li"), item("credential", card))) == Applied(3, 2)
    assert held.of(Credential) == {"c1": card}
    await held.apply(snapshot(7, holder("wang")))
    assert list(held.of(Holder)) == ["wang"]
    assert held.of(Credential) == {}
    assert (held.revision, held.announced) == (7, 7)


async def test_a_delta_changes_and_removes(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(1, holder("li"), holder("wang")))
    before = held.of(Holder)
    changed = Holder(id="wang", name="Wang Er", kind="staff")
    assert await held.apply(delta(1, 2, gone("holder", "li"), item("holder", changed))) == Applied(2, 2)
    assert held.of(Holder) == {"wang": changed}
    assert set(before) == {"li", "wang"}
    assert held.items() == [changed]


async def test_within_a_step_the_last_word_counts(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(1, holder("li"), gone("holder", "li"), gone("holder", "wang"), holder("wang")))
    assert list(held.of(Holder)) == ["wang"]


async def test_what_is_held_survives_a_restart(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(4, holder("li"), item("grant", Grant(id="g", holder="li", places=["lobby-a"]))))
    await held.apply(delta(4, 5, gone("grant", "g")))
    await held.close()
    again = holds()
    assert again.revision == 5
    assert list(again.of(Holder)) == ["li"]
    assert again.of(Grant) == {}


async def test_a_repeated_delta_is_nothing_new(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(1, holder("li")))
    await held.apply(delta(1, 2, holder("wang")))
    assert await held.apply(delta(1, 2, holder("wang"))) is None
    assert held.announced == 2


@pytest.mark.parametrize("step", [delta(3, 4), delta(0, 2), delta(9, 10), delta(5, 5)])
async def test_a_step_that_does_not_fit_asks_for_a_snapshot(holds: Opener, step: Desired) -> None:
    held = holds()
    await held.apply(snapshot(1, holder("li")))
    assert await held.apply(step) is None
    assert (held.revision, held.announced) == (1, 0)
    assert list(held.of(Holder)) == ["li"]
    await held.apply(snapshot(10, holder("wang")))
    assert held.announced == 10


async def test_parts_in_any_order_are_applied_at_once_when_all_are_there(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(1, holder("old")))
    assert await held.apply(snapshot(2, holder("c"), part=3, parts=3)) is None
    assert await held.apply(snapshot(2, holder("a"), part=1, parts=3)) is None
    assert await held.apply(snapshot(2, holder("a"), part=1, parts=3)) is None
    assert list(held.of(Holder)) == ["old"]
    assert held.announced == 1
    assert await held.apply(snapshot(2, holder("b"), part=2, parts=3)) == Applied(2, 3)
    assert set(held.of(Holder)) == {"a", "b", "c"}


async def test_parts_of_another_revision_begin_anew(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(2, holder("a"), part=1, parts=2))
    await held.apply(snapshot(3, holder("b"), part=2, parts=2))
    assert await held.apply(snapshot(2, holder("c"), part=2, parts=2)) is None
    assert await held.apply(snapshot(2, holder("d"), part=1, parts=2)) == Applied(2, 2)
    assert set(held.of(Holder)) == {"c", "d"}


async def test_a_part_beyond_the_parts_is_nothing(holds: Opener) -> None:
    held = holds()
    assert await held.apply(snapshot(2, holder("a"), part=3, parts=2)) is None
    assert held.revision == 0


async def test_too_much_is_refused_before_it_fills_the_memory(holds: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.held.PARTS_BYTES", 100)
    held = holds()
    assert await held.apply(snapshot(1, *(holder(f"h{n}") for n in range(10)))) is None
    assert held.revision == 0


async def test_an_item_that_does_not_fit_its_kind_opens_nothing(holds: Opener) -> None:
    held = holds()
    await held.apply(
        snapshot(1, holder("li"), item("credential", Credential(id="c", kind="card", value="1", holder="l")))
    )
    bad = Item(kind="credential", id="c", value=msgspec.Raw(b'{"id":"c","kind":"tattoo"}'))
    odd = Item(kind="of_a_later_version", id="x", value=msgspec.Raw(b"[1]"))
    applied = await held.apply(delta(1, 2, bad, odd, holder("wang")))
    assert applied is not None
    assert [each.split(":")[0] for each in applied.unusable] == ["credential/c"]
    assert held.of(Credential) == {}
    assert set(held.of(Holder)) == {"li", "wang"}
    await held.close()
    assert holds().of(Credential) == {}


async def test_a_watcher_hears_of_every_step(holds: Opener) -> None:
    held = holds()
    heard: list[Applied] = []
    held.watch(heard.append)
    await held.apply(snapshot(1, holder("li")))
    await held.apply(delta(1, 2))
    assert heard == [Applied(1, 1), Applied(2, 0)]


async def test_a_disk_that_refuses_leaves_the_old_revision(holds: Opener) -> None:
    held = holds()
    await held.apply(snapshot(1, holder("li")))
    pages = held._db.execute("PRAGMA page_count").fetchone()[0]
    held._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(OSError, match="revision 2"):
        await held.apply(snapshot(2, *(holder(f"h{n}") for n in range(500))))
    assert list(held.of(Holder)) == ["li"]
    assert held.announced == 1
    held._db.execute("PRAGMA max_page_count=1000000")
    await held.apply(delta(1, 2, holder("wang")))
    assert held.announced == 2


async def test_a_damaged_file_is_set_aside_and_the_hub_is_asked(holds: Opener, tmp_path: Path) -> None:
    (tmp_path / "held.sqlite").write_bytes(b"no database " * 1000)
    held = holds()
    assert held.announced == 0
    assert len([file for file in tmp_path.iterdir() if ".damaged-" in file.name]) == 1
    with sqlite3.connect(tmp_path / "held.sqlite") as db:
        assert db.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    db.close()


async def test_accounts_are_items_like_others(holds: Opener) -> None:
    held = holds()
    account = Account(
        id="u1", username="guard", name="Zhao", role="guard", password_hash="x", expires_at="2027-01-01T00:00:00.000Z"
    )
    await held.apply(snapshot(1, item("account", account)))
    assert held.of(Account)["u1"].username == "guard"


names = st.sampled_from(["a", "b", "c", "d"])
steps = st.lists(st.tuples(st.booleans(), st.lists(st.tuples(names, st.booleans()), max_size=5)), max_size=8)


@settings(max_examples=40, deadline=None)
@given(steps)
async def test_after_any_steps_memory_and_file_agree(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[bool, list[tuple[str, bool]]]]
) -> None:
    path = tmp_path_factory.mktemp("held") / "held.sqlite"
    held = Held.open(path, clock=Clock())
    expected: set[str] = set()
    for revision, (whole, changes) in enumerate(made, start=1):
        items = [holder(name) if there else gone("holder", name) for name, there in changes]
        await held.apply(snapshot(revision, *items) if whole else delta(revision - 1, revision, *items))
        expected = set() if whole else expected
        for name, there in changes:
            expected = expected | {name} if there else expected - {name}
    assert set(held.of(Holder)) == expected
    await held.close()
    again = Held.open(path, clock=Clock())
    assert set(again.of(Holder)) == expected
    assert again.revision == len(made)
    await again.close()
