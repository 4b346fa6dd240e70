"""What a wire held back is judged by when it was asked for, not by when it arrives."""

from __future__ import annotations

from contract.instants import instant, milliseconds
from hub.database.transactions import Database
from tests.hub.office import office
from tests.hub.test_commands import desk, machine_wall_ms
from tests.hub.test_own_alarms import raised, states


async def test_a_command_that_was_held_up_is_not_carried_out_but_recorded(database: Database) -> None:
    """A wire may hold a press back for minutes: by the server's own time of it, it has expired when it arrives."""
    async with desk(database) as at:
        asked_at = (await at.client.get("/api/about")).headers["Server-Time"]
        assert abs(milliseconds(asked_at) - machine_wall_ms()) < 5_000
        pressed = {"Asked-At": instant(milliseconds(asked_at) - 20_000), "Idempotency-Key": "act-1"}
        late = await at.ask(headers=pressed, ttl_s=15)
        assert (late["state"], "未执行" in late["result"]["why"]["zh"]) == ("expired", True)
        await at.sending.turn()
        assert at.commands() == []
        assert await at.state(late["id"]) == ("expired", late["result"])
        [(_, _, told)] = await at.hub.events("command.expired")
        assert (told["command"], told["why"]["en"]) == (late["id"], late["result"]["why"]["en"])
        assert at.states == [("door.unlock", "expired")]
        # Whoever looks what became of it, by its key, hears the same.
        assert (await at.ask(headers=pressed, ttl_s=15))["id"] == late["id"]

        young = await at.ask(headers={"Asked-At": instant(machine_wall_ms() - 5_000)}, ttl_s=15)
        life_ms = milliseconds(young["expires_at"]) - milliseconds(young["issued_at"])
        assert (young["state"], 9_000 < life_ms <= 10_000) == ("asked", True)
        await at.sending.turn()
        assert [command.id for command in at.commands()] == [young["id"]]
        # Of a clock that runs ahead nothing is believed.
        ahead = await at.ask(headers={"Asked-At": instant(machine_wall_ms() + 900_000)}, ttl_s=15)
        assert milliseconds(ahead["expires_at"]) - milliseconds(ahead["issued_at"]) == 15_000
        await at.ask(status=422, headers={"Asked-At": "yesterday"})


async def test_alarms_too_are_not_acknowledged_by_what_was_held_up(database: Database) -> None:
    """Those of gateways and those that the hub carries out itself, one or several."""
    old = {"Asked-At": instant(machine_wall_ms() - 61_000)}
    async with office(database) as hub, hub.signed_in("wang", "manager") as client:
        await raised(database)
        (alarm,) = (await client.get("/api/alarms", params={"site": "demo"})).json()["items"]
        one = (await client.post(f"/api/alarms/{alarm['id']}/ack", headers=old)).json()
        each = (await client.post("/api/alarms/ack", json={"ids": [alarm["id"]]}, headers=old)).json()["items"][0]
        assert (one["state"], each["command"]["state"]) == ("expired", "expired")
        assert await states(database) == [("gw-1", "active", "")]
        again = await client.post(
            "/api/alarms/ack", json={"ids": [alarm["id"]]}, headers={"Asked-At": instant(machine_wall_ms())}
        )
        assert again.json()["items"][0]["command"]["state"] == "done"
        theirs = await hub.raise_alarm()
        late = (await client.post(f"/api/alarms/{theirs}/ack", headers=old)).json()
        assert (late["state"], late["target"]) == ("expired", theirs)
