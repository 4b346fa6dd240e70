"""Entries at the gateway: looked for in the journal, back as far as one request reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.commands import Person
from contract.facts.entry import Access, PassageMade, Presented
from contract.facts.gateway import CommandResult
from contract.texts import Reason
from gateway.engine.desk.record import Facts
from gateway.web import entries
from tests.gateway.test_web_site import Site, site


async def came(there: Site, value: str, kind: str = "plate", *, holder: str | None = None, place: str = "in") -> int:
    decided = Access(
        credential=Presented(kind=kind, value=value),  # type: ignore[arg-type]
        holder=holder, rule="g-1", revision=1, reason=Reason("granted", "因", "why"),
    )  # fmt: skip
    await said(there, "access.granted", place, decided)
    return there.here.journal.last


async def said(there: Site, kind: str, source: str, data: Any) -> None:
    facts = Facts()
    facts.say(kind, source, data)
    await there.here.engine.record.append(facts)


async def found(there: Site, **query: Any) -> list[str]:
    page = await there.get("/api/entries", **query)
    return [item["event"]["data"].get("credential", {"value": "by hand"})["value"] for item in page["items"]]


async def day(there: Site) -> str:
    lane = there.here.engine.layout.lanes[0].id
    seq = await came(there, "沪A12345", holder="h-1", place=lane)
    await said(there, "passage.made", lane, PassageMade(direction="in", after=seq))
    await came(there, "04A1B2", "card")
    wang = Person(id="u", name="王", role="guard")
    done = CommandResult(command="c", kind="barrier.open", target=lane, by=wang, reason="访客")
    await said(there, "command.done", lane, done)
    await there.sign_in()
    return lane


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["by hand", "••••A1B2", "沪A12345"]),
        ({"q": "沪a·123"}, ["沪A12345"]),
        ({"q": "12345"}, ["沪A12345"]),
        ({"q": "04:a1:b2"}, ["••••A1B2"]),
        ({"q": "张三"}, ["沪A12345"]),
        ({"q": "1栋101"}, ["沪A12345"]),
        ({"q": "nobody"}, []),
        ({"plate": "A1"}, ["沪A12345"]),
        ({"holder": "h-1"}, ["沪A12345"]),
        ({"outcome": "manual"}, ["by hand"]),
        ({"traveller": "person"}, ["••••A1B2"]),
        ({"site": "yard", "outcome": "granted", "traveller": "car"}, ["沪A12345"]),
        ({"from": "2099-01-01T00:00:00Z"}, []),
        ({"to": "2000-01-01T00:00:00Z"}, []),
    ],
)
async def test_what_somebody_types_finds_who_came(tmp_path: Path, query: dict[str, str], expected: list[str]) -> None:
    async with site(tmp_path) as there:
        lane = await day(there)
        assert await found(there, **query) == expected
        names = there.here.engine.layout.lanes[0].name
        assert await found(there, q=names.zh) == await found(there, place=lane) == ["by hand", "沪A12345"]
        (item,) = (await there.get("/api/entries", q="沪A12345"))["items"]
        assert (item["outcome"], item["traveller"]) == ("granted", "car")
        assert item["passed_at"] is not None


async def test_it_says_how_far_it_has_looked_and_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "SLICE", 5)
    monkeypatch.setattr(entries, "MOST", 10)
    async with site(tmp_path) as there:
        seq = await came(there, "沪A00000", holder="h-1")
        await said(there, "passage.made", "in", PassageMade(direction="in", after=seq))
        for number in range(1, 21):
            await came(there, f"沪A{number:05}")
        await there.sign_in()
        page = await there.get("/api/entries", q="沪A00000")
        assert (page["items"], page["looked_to"] is None) == ([], False)
        steps = 0
        while not page["items"]:
            page = await there.get("/api/entries", q="沪A00000", cursor=page["next"])
            steps += 1
        assert 1 <= steps <= 4
        assert page["items"][0]["passed_at"] is not None
        # Pages of what is found follow each other, too, and none looks at anything twice.
        met, cursor = [], ""
        while cursor is not None:
            page = await there.get("/api/entries", limit=3, cursor=cursor)
            met += [item["event"]["data"]["credential"]["value"] for item in page["items"]]
            cursor = page["next"]
        assert met == [f"沪A{number:05}" for number in reversed(range(21))]


async def test_who_may_look_and_where(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in("maintenance")
        assert (await there.client.get("/api/entries")).status_code == 403
        await there.sign_in()
        assert (await there.client.get("/api/entries", params={"site": "elsewhere"})).status_code == 403
        assert (await there.client.get("/api/entries", params={"cursor": "x"})).status_code == 422


async def test_one_box_finds_what_a_gateway_holds(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        layout = there.here.engine.layout

        async def met(q: str) -> list[tuple[str, str]]:
            groups = (await there.get("/api/search", q=q))["groups"]
            return [(item["kind"], item["id"]) for group in groups for item in group["items"]]

        assert await met("张三") == await met("1栋101") == [("person", "h-1")]
        lane = layout.lanes[0]
        assert ("place", lane.id) in await met(lane.name.zh)
        device = layout.devices[0]
        assert ("device", device.id) in await met(device.id)
        assert await met("nothing at all") == await met(" ") == []
        await there.sign_in("maintenance")
        assert await met("张三") == []
        assert (await there.client.get("/api/search", params={"q": "x", "site": "other"})).status_code == 403
