"""What the hub sends down becomes what the gateway decides by, at once and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from contract.desired import Account, Credential, Desired, Grant, Holder, Item
from gateway.desire import Desire
from gateway.held import Held
from gateway.web.served import People
from tests.gateway.engine_site import RESIDENT, Yard, yard


def item(kind: str, thing: Any) -> Item:
    return Item(kind=kind, id=thing.id, value=msgspec.Raw(msgspec.json.encode(thing)))


CARD = Credential(id="c-1", kind="card", value=RESIDENT, holder="h-1")
SNAPSHOT = Desired(
    form="snapshot",
    revision=20,
    items=[
        item("holder", Holder(id="h-1", name="张三")),
        item("credential", CARD),
        item("grant", Grant(id="g-1", holder="h-1", places=["lobby"])),
        item(
            "account",
            Account(
                id="a-1",
                username="Guard",
                name="Wang",
                role="guard",
                password_hash="x",
                expires_at="2030-01-01T00:00:00.000Z",
            ),
        ),
    ],
)
REVOKED = Desired(
    form="delta", base=20, revision=21, items=[item("credential", msgspec.structs.replace(CARD, state="revoked"))]
)


@asynccontextmanager
async def following(here: Yard, folder: Path) -> AsyncIterator[tuple[Held, People]]:
    held = Held.open(folder / "held.sqlite", clock=here.engine.clock)
    people = People({}, {})
    desire = Desire(held, here.engine, people)
    await desire.take_over()
    keeping_up = asyncio.create_task(desire.keep_up())
    try:
        yield held, people
    finally:
        keeping_up.cancel()
        await asyncio.gather(keeping_up, return_exceptions=True)
        await held.close()


async def until(here: Yard, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - built on another thread, it can only be looked at
            await asyncio.sleep(0.01)
    await here.settle()


async def test_a_revoked_card_is_refused_as_soon_as_the_step_is_taken(tmp_path: Path) -> None:
    async with yard(tmp_path) as here, following(here, tmp_path) as (held, people):
        await here.card(RESIDENT)
        await held.apply(SNAPSHOT)
        await until(here, lambda: here.engine.revision == 20)
        await here.card(RESIDENT)
        await held.apply(REVOKED)
        await until(here, lambda: here.engine.revision == 21)
        await here.card(RESIDENT)
        decided = await here.events("access.granted", "access.denied")
        assert [data["reason"]["code"] for _, _, data in decided] == ["unknown_card", "granted", "revoked"]
        assert [data["revision"] for _, _, data in decided] == [0, 20, 21]
        applied = [(data["revision"], data["items"]) for _, _, data in await here.events("desired.applied")]
        assert applied == [(20, 4), (21, 1)]
        assert list(people.accounts) == ["guard"]
        assert people.holders["h-1"].name == "张三"


async def test_what_is_held_decides_after_a_restart_without_a_word_from_the_hub(tmp_path: Path) -> None:
    async with yard(tmp_path) as here, following(here, tmp_path) as (held, _):
        await held.apply(SNAPSHOT)
        await until(here, lambda: here.engine.revision == 20)
    async with yard(tmp_path, here.time) as again, following(again, tmp_path):
        await again.card(RESIDENT)
        assert [data["revision"] for _, _, data in await again.events("access.granted")] == [20]
        assert len(await again.events("desired.applied")) == 1
