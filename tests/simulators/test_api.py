"""The control API as design.md says it, and what it answers to requests that make no sense."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.simulators.stage import Stage, until

REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/sim/readers/nobody/present", {"card": "04A1B2C3D4E5F6"}, 404, "nobody"),
    ("/sim/readers/pump-1/present", {"card": "04A1B2C3D4E5F6"}, 404, "lobby-a-in"),
    ("/sim/readers/lobby-a-in/present", {"card": ""}, 422, "card"),
    ("/sim/readers/lobby-a-in/present", {}, 422, "card"),
    ("/sim/readers/lobby-a-in/present", {"card": "04A1B2C3", "speed": 3}, 422, "speed"),
    ("/sim/readers/lobby-a-in/present", {"card": "\n\n"}, 422, "hex"),
    ("/sim/lanes/nowhere/drive-up", {"plate": "沪A12345"}, 404, "gate-in"),
    ("/sim/lanes/gate-in/drive-up", {"plate": "沪A1234567890123"}, 422, "plate"),
    ("/sim/lanes/gate-in/drive-up", {"plate": 7}, 422, "plate"),
    ("/sim/lanes/nowhere/replay", {}, 404, "gate-in"),
    ("/sim/lanes/gate-in/replay", {}, 422, "drive a car up first"),
    ("/sim/lanes/gate-in/replay", {"ago_s": -1}, 422, "ago_s"),
    ("/sim/points/pump-9/flow", {"value": 1}, 404, "pump-9"),
    ("/sim/points/pump-1/colour", {"value": 1}, 404, "flow"),
    ("/sim/points/pump-1/flow", {"value": "much"}, 422, "a number"),
    ("/sim/points/pump-1/flow", {"value": True}, 422, "a number"),
    ("/sim/points/pump-1/flow", {"value": [1]}, 422, "value"),
    ("/sim/points/pump-1/flow", {}, 422, "value"),
    ("/sim/points/pump-1/alarm", {"value": 2}, 422, "true or false"),
    ("/sim/points/pump-1/alarm_code", {"value": "toothache"}, 422, "dry_running"),
    ("/sim/inputs/relay-doors/input_99", {"state": True}, 404, "input_1"),
    ("/sim/inputs/pump-1/flow", {"state": True}, 404, "none"),
    ("/sim/inputs/relay-doors/input_1", {"state": "ajar"}, 422, "ajar"),
    ("/sim/faults", {"device": "ghost", "fault": "silent"}, 404, "ghost"),
    ("/sim/faults", {"device": "pump-1", "fault": "toothache"}, 422, "dry-run"),
    ("/sim/faults", {"device": "lift-1", "fault": "dry-run"}, 422, "trapped"),
    ("/sim/faults", {"device": "pump-1", "fault": "trip", "for_s": -1}, 422, "for_s"),
    ("/sim/rhythm", {"on": "maybe"}, 422, "on"),
]


@pytest.mark.parametrize(("path", "body", "status", "says"), REFUSED, ids=[f"{r[0]} {r[1]}" for r in REFUSED])
async def test_wrong_requests(stage: Stage, path: str, body: dict[str, Any], status: int, says: str) -> None:
    error = (await stage.post(path, body, status))["error"]
    assert set(error) == {"code", "message", "fields"}
    assert says in error["message"] + str(error["fields"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "elsewhere.example"},  # a name that its owner has led to this machine
        {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"},
    ],
)
async def test_a_page_of_another_place_moves_nothing(stage: Stage, headers: dict[str, str]) -> None:
    fault = {"device": "pump-1", "fault": "trip"}
    for answer in (
        await stage.api.post("/sim/faults", json=fault, headers=headers),
        await stage.api.get("/sim/devices", headers=headers),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")
    assert (await stage.api.get("/sim/faults")).json()["active"] == []


async def test_its_own_page_and_programs_may(stage: Stage) -> None:
    for headers in ({}, {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}, {"Host": "localhost:9"}):
        assert (await stage.api.get("/sim/devices", headers=headers)).status_code == 200


async def test_devices_doors_and_lanes_are_told(stage: Stage) -> None:
    seen = await stage.seen()
    assert [one["id"] for one in seen["devices"]] == list(stage.site.site.devices)
    assert all(set(one) == {"id", "online", "inputs", "outputs", "points"} for one in seen["devices"])
    closed = {"lock": "locked", "contact": "closed"}
    assert seen["doors"] == {"lobby-a": closed, "lobby-b": closed, "garage": closed, "pump-house": closed}
    assert seen["lanes"]["gate-in"] == {"barrier": "down", "loops": {"before": False, "under": False}, "waiting": []}
    relay = await stage.device("relay-doors")
    assert len(relay["inputs"]) == len(relay["outputs"]) == 8


async def test_a_point_is_overridden_until_it_is_given_back(stage: Stage) -> None:
    await stage.post("/sim/points/pump-1/flow", {"value": 33.3})
    await asyncio.sleep(0.3)
    assert (await stage.device("pump-1"))["points"]["flow"] == 33.3
    await stage.post("/sim/points/pump-1/flow", {"value": None})
    assert (await stage.device("pump-1"))["points"]["flow"] != 33.3


@pytest.mark.parametrize("words", [(True, False), ("open", "closed"), (1, 0), ("on", None)])
async def test_a_door_is_forced_and_shut_again(stage: Stage, words: tuple[Any, Any]) -> None:
    await stage.post("/sim/inputs/relay-doors/input_1", {"state": words[0]})
    assert (await stage.seen())["doors"]["lobby-a"] == {"lock": "locked", "contact": "open"}
    await stage.post("/sim/inputs/relay-doors/input_1", {"state": words[1]})
    assert (await stage.seen())["doors"]["lobby-a"]["contact"] == "closed"


async def test_a_loop_is_held_and_let_go(stage: Stage) -> None:
    await stage.post("/sim/inputs/relay-gates/input_2", {"state": True})
    assert (await stage.seen())["lanes"]["gate-in"]["loops"]["under"] is True
    await stage.post("/sim/inputs/relay-gates/input_2", {"state": False})
    assert (await stage.seen())["lanes"]["gate-in"]["loops"]["under"] is False


async def test_a_button_and_an_unwired_input(stage: Stage) -> None:
    for name in ("input_6", "input_8"):
        for state in (True, False):
            await stage.post(f"/sim/inputs/relay-doors/{name}", {"state": state})
            assert (await stage.device("relay-doors"))["inputs"][name] is state


async def test_presenting_a_card_alone_never_opens_the_contact(stage: Stage) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", stage.wires["lobby-a-in-line"]["port"])
    await asyncio.sleep(0.05)
    await stage.post("/sim/readers/lobby-a-in/present", {"card": "04A1B2C3D4E5F6"})
    # The lock is released all the time, and still nobody walks.
    await stage.post("/sim/points/relay-doors/relay_1", {"value": True})
    for _ in range(30):
        await asyncio.sleep(0.1)
        assert (await stage.seen())["doors"]["lobby-a"] == {"lock": "released", "contact": "closed"}
    writer.close()


async def test_whoever_walks_opens_the_contact_once_the_lock_lets_go(stage: Stage) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", stage.wires["lobby-a-in-line"]["port"])
    await asyncio.sleep(0.05)
    await stage.post("/sim/readers/lobby-a-in/present", {"card": "04A1B2C3D4E5F6", "walk": True})
    await asyncio.sleep(2.2)
    assert (await stage.seen())["doors"]["lobby-a"]["contact"] == "closed"
    await stage.post("/sim/points/relay-doors/relay_1", {"value": True})
    part = stage.site.doors["lobby-a"]
    await until(lambda: part.seen()["contact"] == "open", within_s=4)
    await until(lambda: part.seen()["contact"] == "closed", within_s=8)
    writer.close()


async def test_faults_are_named_put_told_and_taken_away(stage: Stage) -> None:
    told = (await stage.api.get("/sim/faults")).json()
    assert {"silent", "late", "corrupt", "offline", "stuck", "dry-run", "trip"} <= {
        one["fault"] for one in told["faults"]
    }
    assert all(one["text"]["zh"] and one["text"]["en"] for one in told["faults"])
    assert "dry-run" in told["devices"]["pump-1"]
    assert set(told["devices"]) == {*stage.site.site.devices, *stage.site.site.lanes}
    await stage.post("/sim/faults", {"device": "pump-1", "fault": "trip", "for_s": 60})
    await stage.post("/sim/faults", {"device": "pump-2", "fault": "dry-run"})
    active = (await stage.api.get("/sim/faults")).json()["active"]
    assert [(one["device"], one["fault"]) for one in active] == [("pump-1", "trip"), ("pump-2", "dry-run")]
    assert 50 < active[0]["left_s"] <= 60
    assert active[1]["left_s"] is None
    assert (await stage.api.delete("/sim/faults", params={"device": "pump-2"})).json() == {"cleared": 1}
    assert (await stage.api.delete("/sim/faults")).json() == {"cleared": 1}


async def test_a_fault_ends_by_itself(stage: Stage) -> None:
    await stage.post("/sim/faults", {"device": "pump-1", "fault": "trip", "for_s": 0.3})
    assert (await stage.device("pump-1"))["points"]["alarm"] is True
    await until(lambda: not stage.site.faults.at_work())
    await asyncio.sleep(0.2)
    assert (await stage.device("pump-1"))["points"]["alarm"] is False


FAULTS: list[tuple[str, str, dict[str, Any]]] = [
    ("pump-1", "trip", {"alarm": True, "alarm_code": "overload", "rotating": False}),
    ("pump-1", "dry-run", {"alarm": True, "alarm_code": "dry_running", "rotating": True, "flow": 0.0}),
    ("lift-1", "trapped", {"trapped": True, "fault": True, "running": False, "door_zone": False}),
    ("garage-leak", "leak", {"leak": True}),
    ("garage-leak", "low-battery", {"battery": 4}),
    ("fan-1", "trip", {"state": "fault"}),
    ("meter-main", "phase-loss", {"voltage_l1": 0.0}),
]


@pytest.mark.parametrize(("device", "fault", "points"), FAULTS, ids=[f"{f[0]} {f[1]}" for f in FAULTS])
async def test_what_a_fault_looks_like(stage: Stage, device: str, fault: str, points: dict[str, Any]) -> None:
    await stage.post("/sim/faults", {"device": device, "fault": fault})

    def so() -> bool:
        return {name: stage.site.device(device).value(name) for name in points} == points

    await until(so)


async def test_what_is_stuck_does_not_change(stage: Stage) -> None:
    before = (await stage.device("meter-main"))["points"]
    await stage.post("/sim/faults", {"device": "meter-main", "fault": "stuck"})
    frozen = (await stage.device("meter-main"))["points"]
    await asyncio.sleep(0.5)
    assert (await stage.device("meter-main"))["points"] == frozen
    await stage.api.delete("/sim/faults")
    await asyncio.sleep(0.3)
    assert (await stage.device("meter-main"))["points"]["energy_import"] >= before["energy_import"]


async def test_rhythm_is_switched(stage: Stage) -> None:
    assert await stage.post("/sim/rhythm", {"on": True}) == {"on": True}
    assert await stage.post("/sim/rhythm", {"on": False}) == {"on": False}
