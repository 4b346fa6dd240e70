"""The car before a barrier as the hub has it, what is commanded for it, and why, as a code that can be counted."""

from __future__ import annotations

from typing import Any

import pytest

from contract.commands import Person, Subject
from contract.facts.entry import Access, CarArrived, CarLeft, HitAcknowledged, PassageMade, Presented
from contract.texts import Reason, Text
from hub.database.transactions import Database
from hub.events.redacting import GONE, without
from tests.hub.office import Office, office
from tests.hub.senders import rows
from tests.hub.test_commands import desk

GUARD = Person(id="p-1", name="王门卫", role="guard")
PLATE = "粤B88888"
HIT = {"stream": "0" * 32, "seq": 7}


def read(plate: str = PLATE, code: str = "blocked_plate", *, stands: bool = True) -> Access:
    return Access(
        credential=Presented(kind="plate", value=plate), holder=None, rule="block:b-1", revision=1,
        reason=Reason(code=code, zh="黑名单", en="Blocked"), picture="ab" * 16, stands=stands,
    )  # fmt: skip


async def hit(hub: Office, source: str) -> dict[str, Any]:
    await hub.report("access.denied", read(), source)
    journal = hub.journals["demo"]
    return {"stream": journal.stream, "seq": len(journal.events)}


async def car(hub: Office) -> Any:
    async with hub.client("wang") as client:
        (lane,) = (await client.get("/api/lanes", params={"site": "demo"})).json()["items"]
    return lane["car"]


async def test_a_car_stands_there_from_its_read_until_it_has_left(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        await hub.report("access.denied", read(), "gate-in")
        found = await car(hub)
        assert (found["plate"], found["outcome"], found["blocked"]) == (PLATE, "denied", True)
        assert (found["stream"], found["picture"]) == (hub.journals["demo"].stream, "ab" * 16)
        elsewhere = CarLeft(after=found["seq"] - 1, after_stream=found["stream"], plate="沪A12345")
        await hub.report("car.left", elsewhere, "gate-in")
        assert (await car(hub))["plate"] == PLATE
        await hub.report("car.left", CarLeft(after=found["seq"], after_stream=found["stream"]), "gate-in")
        assert await car(hub) is None


async def test_the_passage_that_names_it_ends_it_and_the_next_is_another(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        await hub.report("access.granted", read("沪A12345", "granted"), "gate-in")
        found = await car(hub)
        await hub.report("passage.made", PassageMade(direction="in", after=found["seq"]), "gate-in")
        assert await car(hub) is None
        unread = CarArrived(reason=Reason(code="car_unread", zh="未识别", en="Not read"))
        await hub.report("car.arrived", unread, "gate-in")
        found = await car(hub)
        assert (found["plate"], found["outcome"], found["read_at"]) == (None, None, None)
        assert found["seq"] is not None


async def test_no_car_is_noted_at_a_door(database: Database) -> None:
    async with office(database) as hub:
        await hub.report("passage.made", PassageMade(direction="in", after=1), "lobby-a")
        assert await rows(database, "SELECT place FROM place_states WHERE aspect = 'car'") == []
        await hub.report("passage.made", PassageMade(direction="in", after=1), "gate-in")
        assert await rows(database, "SELECT place FROM place_states WHERE aspect = 'car'") == [("gate-in",)]


async def test_a_gateway_of_before_says_of_no_car_that_it_stands_there(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        await hub.report("access.denied", read(stands=False), "gate-in")
        assert await car(hub) is None


async def test_who_may_not_see_plates_sees_no_car(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "maintenance"):
        await hub.report("access.denied", read(), "gate-in")
        assert await car(hub) is None


async def test_a_reason_goes_as_a_code_and_is_counted(database: Database) -> None:
    async with desk(database) as at:
        await at.up()
        for _ in range(2):
            asked = await at.ask(target="gate-in", kind="barrier.open", reason="", reason_code="delivery", subject=HIT)
        assert (asked["reason"], asked["reason_code"], asked["subject"]) == ("快递、外卖、送货", "delivery", HIT)
        await at.ask(target="gate-in", kind="barrier.open", reason="301 搬家")
        await at.sending.turn()
        first, _, last = at.commands()
        assert (first.reason_code, first.subject) == ("delivery", Subject(stream="0" * 32, seq=7))
        assert (last.reason_code, last.subject) == (None, None)
        counted = "SELECT reason_code, count(*) FROM commands WHERE kind = 'barrier.open' GROUP BY 1 ORDER BY 2"
        assert await rows(database, counted) == [(None, 1), ("delivery", 2)]
        told = [data.get("reason_code") for _, _, data in await at.hub.events("command.asked")]
        assert sorted(told, key=str) == [None, "delivery", "delivery"]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"reason": "", "reason_code": "nonsense"}, "reason_code"),
        ({"reason": "x", "reason_code": "fire_drill"}, "reason_code"),
        ({"reason": ""}, "reason"),
        ({"reason": "x", "args": {"despite": 7}}, "args"),
        ({"kind": "hit.acknowledge", "reason_code": "hit_noted", "reason": ""}, "subject"),
        ({"reason": "x", "subject": {"stream": "no", "seq": 1}}, "subject.stream"),
        ({"reason": "x", "subject": {"stream": "0" * 32, "seq": 0}}, "subject.seq"),
    ],
)
async def test_what_is_said_wrongly_is_named(database: Database, wanted: dict[str, Any], field: str) -> None:
    async with desk(database) as at:
        error = await at.ask(422, **({"target": "gate-in", "kind": "barrier.open"} | wanted))
        assert field in error["error"]["fields"]


async def test_a_plate_that_was_typed_goes_down_and_is_shown_to_nobody(database: Database) -> None:
    async with desk(database) as at:
        await at.up()
        asked = await at.ask(target="gate-in", kind="barrier.open", reason="警察同意", args={"despite": PLATE})
        assert asked["args"] == {}
        await at.sending.turn()
        assert at.commands()[0].args == {"despite": PLATE}


@pytest.mark.parametrize("target", ["gate-in", "lobby-a"])
async def test_a_hit_is_noted_at_a_lane_or_a_door(database: Database, target: str) -> None:
    async with desk(database) as at:
        there = await hit(at.hub, target)
        asked = await at.ask(target=target, kind="hit.acknowledge", reason="", reason_code="hit_noted", subject=there)
        assert asked["kind"] == "hit.acknowledge"
        noted = HitAcknowledged(by=GUARD, subject=Subject(**there), command=asked["id"])
        await at.hub.report("hit.acknowledged", noted, target)
        answer = await at.client.get("/api/events", params={"kind": "hit.acknowledged"})
        [event] = answer.json()["items"]
        assert (event["data"]["by"]["name"], event["data"]["subject"]) == ("王门卫", there)


async def test_a_hit_is_noted_nowhere_else(database: Database) -> None:
    async with desk(database) as at:
        await at.ask(404, target="pump-1", kind="hit.acknowledge", reason="", reason_code="hit_noted", subject=HIT)
        there = await hit(at.hub, "gate-in")
        noting: dict[str, Any] = {"kind": "hit.acknowledge", "reason": "", "reason_code": "hit_noted"}
        for target, subject in [("gate-in", HIT), ("lobby-a", there), ("gate-in", there | {"seq": there["seq"] + 1})]:
            error = await at.ask(404, target=target, subject=subject, **noting)
            assert error["error"]["code"] == "unknown_subject"


def test_plates_of_openings_leave_the_history_in_their_time() -> None:
    assert PLATE not in without("command.done", f'{{"plate":"{PLATE}","despite":"{PLATE}","why":null}}')
    why = Text(f"{PLATE} 在黑名单上", f"{PLATE} is blocked")
    left = without("command.failed", f'{{"plate":"{PLATE}","why":{{"zh":"{why.zh}","en":"{why.en}"}}}}')
    assert PLATE not in left
    assert f"{GONE} is blocked" in left
    assert PLATE not in without("car.left", f'{{"after":1,"plate":"{PLATE}"}}')
    assert without("command.failed", '{"plate":null,"why":{"zh":"a","en":"b"}}').count(GONE) == 0


async def test_a_note_about_an_alarm_is_a_code_as_well(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        alarm = await hub.raise_alarm()
        answer = await client.post(f"/api/alarms/{alarm}/ack", json={"reason_code": "on_the_way"})
        asked = answer.json()
        assert (asked["reason_code"], asked["reason"], asked["args"]) == (
            "on_the_way", "已派人前往", {"note": "已派人前往"}
        )  # fmt: skip
        answer = await client.post(f"/api/alarms/{alarm}/ack", json={"reason_code": "delivery"})
        assert (answer.status_code, [*answer.json()["error"]["fields"]]) == (422, ["reason_code"])
