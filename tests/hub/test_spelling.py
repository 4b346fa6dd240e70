"""How names and rooms are found and sorted."""

from __future__ import annotations

import pytest

from hub.access.spelling import beginnings, found_by, sound_key, spelt
from hub.database.transactions import Database
from rules.access.rooms import room_key, room_order
from tests.hub.office import office

FOUND = [
    ("周建国", "zhou"), ("周建国", "zjg"), ("周建国", "zhoujian"), ("周建国", "jianguo"), ("周建国", "ZHOU JianGuo"),
    ("曾晓", "zengxiao"), ("曾晓", "zx"), ("单雄信", "shan"), ("单雄信", "dan"), ("欧阳娜娜", "oynn"),
    ("王 Smith", "smith"), ("Müller", "mü"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "typed"), FOUND)
def test_a_name_is_found_by_how_it_sounds(name: str, typed: str) -> None:
    key = sound_key(typed) or typed
    assert f" {key}" in spelt(name).sounds


@pytest.mark.parametrize(
    ("name", "unit", "typed"),
    [
        ("周建国", "3-1201", "建国"), ("周建国", "3-1201", "jg"), ("周建国", "3-1201", "3栋12"),
        ("周建国", "A座1502", "a-1502"), ("周建国", "A座1502", "1502"), ("Li Ming", "保安队", "li ming"),
        ("Li Ming", "保安队", "min"), ("Li Ming", "保安队", "安队"), ("ＡＢＣ公司", "", "abc"),
    ],
)  # fmt: skip
def test_a_person_is_found_by(name: str, unit: str, typed: str) -> None:
    assert any(f" {word}" in found_by(name, unit) for word in beginnings(typed))


def test_a_person_is_not_found_by_what_is_in_the_middle_of_a_number() -> None:
    for typed in ("201", "2-1201", "栋", "%", "", "zhoug"):
        assert not any(f" {word}" in found_by("周建国", "12-1201") for word in beginnings(typed)), typed
    assert len(found_by("名" * 100, "房" * 100)) <= 2000


def test_what_is_no_sound_is_none() -> None:
    assert [sound_key(typed) for typed in ("周", "3-1201", "", "zhou%")] == [""] * 4
    assert spelt("") == ("", "")
    assert len(spelt("乐单曾" * 33).sounds) <= 500


ROOMS = [("3-1201", "3-1201"), ("12栋301", "12-301"), ("12 栋 301 室", "12-301"), ("A座1502", "a-1502"),
         ("1栋2单元0301", "1-2-301"), ("１２－３０１", "12-301"), ("", "")]  # fmt: skip


@pytest.mark.parametrize(("written", "key"), ROOMS)
def test_a_room_however_it_is_written(written: str, key: str) -> None:
    assert room_key(written) == key


def test_rooms_are_sorted_by_their_numbers() -> None:
    assert sorted(["10-1", "9-12", "9-2", "A-3"], key=room_order) == ["9-2", "9-12", "10-1", "A-3"]


PEOPLE = [
    ("何晓", "10-1"),
    ("冯军", "9-12"),
    ("卢婷", "9-2"),
    ("吕洞宾", "12栋301"),
    ("周建国", "3-1201"),
    ("Adams", ""),
]


async def test_people_are_sorted_and_found(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        for name, unit in PEOPLE:
            answer = await client.post("/api/holders", json={"site": "demo", "name": name, "unit": unit})
            assert answer.status_code == 201

        async def names(**query: str) -> list[str]:
            met: list[str] = []
            page = {"next": ""}
            while page["next"] is not None:
                asked = {"site": "demo", "limit": "2", "cursor": page["next"], **query}
                page = (await client.get("/api/holders", params=asked)).json()
                met += [item["name"] for item in page["items"]]
            return met

        assert await names(sort="name") == ["Adams", "冯军", "何晓", "卢婷", "吕洞宾", "周建国"]
        assert await names(sort="room") == ["Adams", "周建国", "卢婷", "冯军", "何晓", "吕洞宾"]
        for typed in ("zhou", "zjg", "周建", "3-1201", "3栋1201", "1201"):
            assert await names(q=typed) == ["周建国"], typed
        assert await names(q="12-301") == await names(q="12 栋 301 室") == ["吕洞宾"]
        refused = await client.get("/api/holders", params={"sort": "unit"})
        assert (refused.status_code, set(refused.json()["error"]["fields"])) == (422, {"sort"})
        # Whoever is called otherwise is found so, and under nothing else.
        (one,) = (await client.get("/api/holders", params={"q": "zjg"})).json()["items"]
        body = {"name": "陈立", "kind": "resident", "unit": "3-1202"}
        assert (await client.put(f"/api/holders/{one['id']}", json=body)).status_code == 200
        assert await names(q="cl") == ["陈立"] and await names(q="zjg") == await names(q="3-1201") == []


@pytest.mark.parametrize("plate", ["沪A 123", "沪A1234", "A123"])
async def test_what_cannot_be_a_plate_is_refused_on_every_road(database: Database, plate: str) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        holder = (await client.post("/api/holders", json={"site": "demo", "name": "王"})).json()["id"]
        for path, more in (("credentials", {"holder": holder}), ("blocks", {"reason": {"zh": "x", "en": "x"}})):
            body = {"site": "demo", "kind": "plate", "value": plate, **more}
            answer = await client.post(f"/api/{path}", json=body)
            assert answer.status_code == 422
            assert "沪A12345" in answer.json()["error"]["fields"]["value"]
            written = {**body, "value": "沪ａ·1 2345"}
            assert (await client.post(f"/api/{path}", json=written)).json()["value"] == "沪A12345"
