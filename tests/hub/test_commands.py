"""Commands: who may ask for what, sent once and again at a birth, answered by events, expired by time."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from contract.commands import Command, Person
from contract.facts.gateway import CommandResult
from contract.instants import instant, milliseconds
from contract.layout import PointLayout
from contract.presence import Answered
from contract.texts import Text
from hub.commands.sending import CommandSending
from hub.database.transactions import Database, Outcome
from hub.ingest.arrivals import PresenceArrived
from hub.ingest.presence import GatewayPresence
from rules.commands import LIFE_MS
from tests.hub.office import Office, layout, office
from tests.hub.senders import NOW_MS, Sent, arrived, rows

COMMAND = {"site": "demo", "target": "lobby-a", "kind": "door.unlock", "reason": "搬家"}


def machine_wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Sending:
    """Sends, and then calls expired what is over."""

    def __init__(self, sending: CommandSending, now_ms: Callable[[], int]) -> None:
        self._sending = sending
        self._now_ms = now_ms
        self.told, self.heard, self.connected = sending.told, sending.heard, sending.connected

    async def turn(self) -> float | None:
        await self._sending.turn()
        return await self._sending.expire(datetime.fromtimestamp(self._now_ms() / 1000, UTC))


class Desk:
    """A hub with a downlink whose time can be set."""

    def __init__(self, hub: Office, client: httpx.AsyncClient) -> None:
        self.hub = hub
        self.client = client
        self.sent = Sent()
        self.now_ms: int | None = None
        self.gateways = GatewayPresence(hub.database, self.sent, silence_s=45, now_ms=self._now)
        self.sending = Sending(CommandSending(hub.database, self.sent, now_ms=self._now), self._now)
        self.states: list[tuple[str, str]] = []
        hub.database.subscribe(self.sending.told)
        hub.database.subscribe(self._shown)

    def _now(self) -> int:
        assert self.now_ms is not None
        return self.now_ms

    def _shown(self, done: Outcome) -> None:
        self.states += [(state["command"], state["state"]) for state in done.states if state["kind"] == "command"]

    async def ask(self, status: int = 202, headers: dict[str, str] | None = None, **command: Any) -> Any:
        answer = await self.client.post("/api/commands", json=COMMAND | command, headers=headers)
        assert answer.status_code == status, answer.text
        body = answer.json()
        if status == 202 and self.now_ms is None:
            self.now_ms = milliseconds(body["issued_at"])
        return body

    async def up(self) -> None:
        """The hub's process has started before anybody asks."""
        self.now_ms = machine_wall_ms()
        await self.sending.turn()

    async def alive(self, *answers: Answered) -> None:
        """A sign of life of the site's gateway, with these answers."""
        presence = msgspec.structs.replace(self.hub.journals["demo"].presence("alive"), answered=list(answers))
        message = arrived("demo-gw", "presence", presence)
        assert isinstance(message, PresenceArrived)
        await self.gateways.seen(message)

    async def state(self, command: str) -> tuple[str, Any]:
        body = (await self.client.get(f"/api/commands/{command}")).json()
        return body["state"], body["result"]

    def commands(self) -> list[Command]:
        found = [message for _, _, message in self.sent.messages if isinstance(message, Command)]
        self.sent.messages.clear()
        return found

    async def answer(self, command: dict[str, Any], kind: str, why: Text | None = None, site: str = "demo") -> None:
        result = CommandResult(
            command=command["id"], kind=command["kind"], target=command["target"],
            by=Person(id="x", name="x", role="guard"), reason="r", why=why,
        )  # fmt: skip
        await self.hub.report(kind, result, command["target"], site=site)


@asynccontextmanager
async def desk(database: Database, role: str = "guard", *sites: str) -> AsyncIterator[Desk]:
    async with office(database, "demo", "other") as hub, hub.signed_in("wang", role, *(sites or ("demo",))) as client:
        yield Desk(hub, client)


async def test_a_command_is_recorded_sent_and_answered(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask(ttl_s=20)
        assert (asked["state"], asked["by"]["name"], asked["reason"]) == ("asked", "Wang", "搬家")
        assert milliseconds(asked["expires_at"]) - milliseconds(asked["issued_at"]) == 20_000
        events = await at.hub.events("command.asked")
        assert [(site, data["command"]) for _, site, data in events] == [("demo", asked["id"])]

        await at.sending.turn()
        [command] = at.commands()
        assert (command.id, command.kind, command.target) == (asked["id"], "door.unlock", "lobby-a")
        assert (command.by.role, command.expires_at) == ("guard", asked["expires_at"])
        assert (await at.state(asked["id"]))[0] == "sent"
        await at.sending.turn()
        assert at.commands() == []

        await at.answer(asked, "command.done")
        assert (await at.state(asked["id"]))[0] == "done"
        assert at.states == [("door.unlock", "asked"), ("door.unlock", "sent"), ("door.unlock", "done")]


async def test_why_a_command_failed_is_kept(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask()
        await at.sending.turn()
        await at.answer(asked, "command.failed", Text("总线无应答", "The bus does not answer"))
        state, result = await at.state(asked["id"])
        assert (state, result["why"]) == ("failed", {"zh": "总线无应答", "en": "The bus does not answer"})


async def test_unanswered_commands_are_sent_again_at_a_birth(database: Database) -> None:
    async with desk(database) as at:
        first, second = await at.ask(), await at.ask(target="garage")
        await at.sending.turn()
        await at.answer(first, "command.done")
        at.commands()
        journal = at.hub.journals["demo"]
        at.sending.heard("demo-gw", "demo", journal.presence("alive"))
        await at.sending.turn()
        assert at.commands() == []
        at.sending.heard("demo-gw", "demo", journal.presence("birth"))
        await at.sending.turn()
        assert [command.id for command in at.commands()] == [second["id"]]


async def test_while_the_broker_is_away_commands_wait_for_it(database: Database) -> None:
    async with desk(database) as at:
        at.sent.open = False
        asked = await at.ask()
        await at.sending.turn()
        assert (await at.state(asked["id"]))[0] == "asked"
        at.sent.open = True
        at.sending.connected()
        await at.sending.turn()
        assert [command.id for command in at.commands()] == [asked["id"]]


async def test_a_command_that_is_over_is_never_sent_and_ends_expired(database: Database) -> None:
    async with desk(database) as at:
        await at.up()
        asked = await at.ask(ttl_s=10)
        at.now_ms = milliseconds(asked["issued_at"]) + 10_001
        wait_s = await at.sending.turn()
        assert at.commands() == []
        assert wait_s == pytest.approx(4.999)
        at.now_ms += 5_000
        assert await at.sending.turn() is None
        state, result = await at.state(asked["id"])
        assert (state, result["why"]["en"]) == (
            "expired",
            "it could not be sent to the gateway in time and was not carried out",
        )
        assert [data["command"] for _, _, data in await at.hub.events("command.expired")] == [asked["id"]]
        await at.sending.turn()
        assert len(await at.hub.events("command.expired")) == 1


async def test_of_a_command_that_was_sent_nobody_says_that_it_was_not_carried_out(database: Database) -> None:
    async with desk(database) as at:
        await at.up()
        asked = await at.ask(ttl_s=10)
        at.now_ms = milliseconds(asked["issued_at"])
        await at.sending.turn()
        at.now_ms += 15_001
        await at.sending.turn()
        state, result = await at.state(asked["id"])
        assert (state, result["why"]["en"].partition(":")[0]) == ("expired", "no answer from the gateway in time")
        [(_, _, data)] = await at.hub.events("command.expired")
        assert data["why"] == result["why"]


async def test_a_command_for_a_gateway_that_is_away_says_so_and_waits_for_it(database: Database) -> None:
    async with desk(database) as at:
        await at.up()
        await at.alive()
        await at.gateways.lost("demo-gw", "last will")
        asked = await at.ask(ttl_s=10)
        at.now_ms = milliseconds(asked["issued_at"])
        await at.sending.turn()
        assert (at.commands(), (await at.state(asked["id"]))[0]) == ([], "asked")
        at.now_ms += 15_001
        await at.sending.turn()
        state, result = await at.state(asked["id"])
        assert (state, result["why"]) == (
            "expired",
            {"zh": "未执行：网关离线", "en": "Not carried out: gateway offline"},
        )
        [(_, _, data)] = await at.hub.events("command.expired")
        assert data["why"] == result["why"]

        later = await at.ask(ttl_s=10)
        at.now_ms = milliseconds(later["issued_at"])
        await at.sending.turn()
        assert at.commands() == []
        await at.alive()
        await at.sending.turn()
        assert [command.id for command in at.commands()] == [later["id"]]


async def test_of_a_command_that_a_hub_may_have_sent_before_it_died_nothing_is_known(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask(ttl_s=10)
        at.now_ms = milliseconds(asked["issued_at"]) + 15_001
        await at.sending.turn()
        state, result = await at.state(asked["id"])
        assert (state, result["why"]["en"].partition(":")[0]) == ("expired", "no answer from the gateway in time")


@pytest.mark.parametrize(
    ("parted_s", "says"), [(None, "it could not be sent"), (-1, "it could not be sent"), (1, "no answer")]
)
async def test_of_a_command_that_another_process_may_have_sent_nothing_is_known(
    database: Database, parted_s: float | None, says: str
) -> None:
    async with desk(database) as at:
        at.now_ms = machine_wall_ms() - 10_000
        parted: list[datetime] = []
        sending = CommandSending(database, Sent(), now_ms=at._now, together=lambda: parted[0] if parted else None)
        await sending.turn()
        asked = await at.ask(ttl_s=10)
        issued = datetime.fromisoformat(asked["issued_at"])
        if parted_s is not None:
            parted.append(issued + timedelta(seconds=parted_s))
        await sending.expire(issued + timedelta(seconds=16))
        state, result = await at.state(asked["id"])
        assert state == "expired"
        assert result["why"]["en"].startswith(says)


async def test_a_sign_of_life_answers_before_the_event_comes(database: Database) -> None:
    async with desk(database) as at:
        done, failed, other = await at.ask(), await at.ask(target="garage"), await at.ask()
        await at.sending.turn()
        dead = Text("总线无应答", "The bus does not answer")
        answers = [
            Answered(command=done["id"], state="done", at="2026-09-21T14:13:20.500Z"),
            Answered(command=failed["id"], state="failed", at="2026-09-21T14:13:20.600Z", why=dead),
            Answered(command=str(uuid.uuid4()), state="done", at="2026-09-21T14:13:20.700Z"),
        ]
        for _ in range(2):
            await at.alive(*answers)
        assert await at.state(done["id"]) == ("done", {"at": "2026-09-21T14:13:20.500Z", "why": None})
        assert (await at.state(failed["id"]))[1]["why"] == {"zh": dead.zh, "en": dead.en}
        assert (await at.state(other["id"]))[0] == "sent"
        await at.answer(done, "command.done")
        assert (await at.state(done["id"]))[0] == "done"
        assert [state for _, state in at.states].count("done") == 1


async def test_an_answer_of_2099_is_of_its_receipt(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask()
        await at.sending.turn()
        await at.alive(Answered(command=asked["id"], state="done", at="2099-01-01T00:00:00.000Z"))
        assert (await at.state(asked["id"]))[1]["at"] == instant(NOW_MS + 2_000)


async def test_a_sign_of_life_corrects_what_the_hub_supposed_and_only_of_its_own_gateway(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask(ttl_s=10)
        await at.sending.turn()
        assert at.now_ms is not None
        at.now_ms += 60_000
        await at.sending.turn()
        assert (await at.state(asked["id"]))[0] == "expired"
        answer = Answered(command=asked["id"], state="done", at="2026-09-21T14:13:20.500Z")
        presence = msgspec.structs.replace(at.hub.journals["other"].presence("alive"), answered=[answer])
        message = arrived("other-gw", "presence", presence)
        assert isinstance(message, PresenceArrived)
        await at.gateways.seen(message)
        assert (await at.state(asked["id"]))[0] == "expired"
        await at.alive(answer)
        assert (await at.state(asked["id"]))[0] == "done"


async def test_an_answer_that_comes_late_is_still_the_truth(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask(ttl_s=10)
        await at.sending.turn()
        assert at.now_ms is not None
        at.now_ms += 60_000
        await at.sending.turn()
        await at.answer(asked, "command.done")
        assert (await at.state(asked["id"]))[0] == "done"
        await at.answer(asked, "command.failed")
        assert (await at.state(asked["id"]))[0] == "done"


async def test_only_its_own_gateway_answers_a_command(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask()
        await at.answer(asked, "command.done", site="other")
        assert (await at.state(asked["id"]))[0] == "asked"


async def test_an_idempotency_key_makes_one_command_of_two(database: Database) -> None:
    async with desk(database) as at:
        key = {"Idempotency-Key": "k-1"}
        first, second = await at.ask(headers=key), await at.ask(headers=key)
        assert first["id"] == second["id"]
        assert len(await at.hub.events("command.asked")) == 1
        await at.ask(422, headers=key, target="garage")
        assert (await at.ask())["id"] != first["id"]


REFUSED = [
    ({"reason": ""}, 422, "reason"),
    ({"reason": "   "}, 422, "reason"),
    ({"kind": "door.explode"}, 422, "kind"),
    ({"ttl_s": 0}, 422, "ttl_s"),
    ({"ttl_s": LIFE_MS // 1000 + 1}, 422, "ttl_s"),
    ({"kind": "door.mode"}, 422, "args"),
    ({"kind": "door.mode", "args": {"mode": "ajar"}}, 422, "args"),
    ({"target": "lobby-z"}, 404, None),
    ({"target": "gate-in"}, 404, None),
    ({"kind": "barrier.open", "target": "lobby-a"}, 404, None),
    ({"kind": "alarm.ack", "target": str(uuid.uuid4())}, 404, None),
    ({"site": "other"}, 404, None),
    ({"site": "nowhere"}, 404, None),
    ({"kind": "point.write", "target": "pump-1.speed", "args": {"value": 3}}, 403, None),
    ({"args": {"value": "x" * 501}}, 422, None),
]


@pytest.mark.parametrize(("command", "status", "field"), REFUSED)
async def test_refused_commands(database: Database, command: dict[str, Any], status: int, field: str | None) -> None:
    async with desk(database) as at:
        body = await at.ask(status, **command)
        if field is not None:
            assert list(body["error"]["fields"]) == [field]
        assert await rows(database, "SELECT count(*) FROM commands") == [(0,)]


async def test_without_a_reason_and_without_a_session(database: Database) -> None:
    async with desk(database) as at:
        bare = {name: value for name, value in COMMAND.items() if name != "reason"}
        assert (await at.client.post("/api/commands", json=bare)).status_code == 422
        async with at.hub.client() as nobody:
            assert (await nobody.post("/api/commands", json=COMMAND)).status_code == 401


ALLOWED = [
    ("guard", {"kind": "barrier.open", "target": "gate-in"}),
    ("guard", {"kind": "barrier.close", "target": "gate-in"}),
    ("guard", {"kind": "door.mode", "args": {"mode": "locked"}}),
    ("maintenance", {"kind": "point.write", "target": "pump-1.speed", "args": {"value": 3}}),
]


@pytest.mark.parametrize(("role", "command"), ALLOWED)
async def test_allowed_commands(database: Database, role: str, command: dict[str, Any]) -> None:
    async with desk(database, role) as at:
        name = Text("转速", "Speed")
        speed = PointLayout(id="pump-1.speed", device="pump-1", name=name, type="number", writable=True)
        await at.hub.report("site.described", layout("demo", points=[speed]), "demo")
        assert (await at.ask(**command))["state"] == "asked"


async def test_what_cannot_be_written_is_no_target(database: Database) -> None:
    async with desk(database, "maintenance") as at:
        flow = PointLayout(id="pump-1.flow", device="pump-1", name=Text("流量", "Flow"), type="number")
        await at.hub.report("site.described", layout("demo", points=[flow]), "demo")
        await at.ask(404, kind="point.write", target="pump-1.flow", args={"value": 3})


async def test_nobody_sees_commands_of_other_sites(database: Database) -> None:
    async with desk(database) as at:
        asked = await at.ask()
        async with at.hub.signed_in("stranger", "guard", "other") as stranger:
            assert (await stranger.get(f"/api/commands/{asked['id']}")).status_code == 404
        assert (await at.client.get("/api/commands/none")).status_code == 404


async def test_a_mode_with_an_end_waits_for_a_gateway_that_ends_it(database: Database) -> None:
    asking: dict[str, Any] = {"target": "lobby-a", "kind": "door.mode", "reason": "搬家"}
    async with desk(database) as at:
        error = await at.ask(409, args={"mode": "unlocked", "for_s": 600}, **asking)
        assert error["error"]["code"] == "modes_do_not_end"
        await at.ask(args={"mode": "unlocked"}, **asking)
        told = layout("demo")
        doors = [msgspec.structs.replace(door, modes_end=True) for door in told.doors]
        await at.hub.report("site.described", msgspec.structs.replace(told, doors=doors), "demo")
        asked = await at.ask(args={"mode": "unlocked", "for_s": 600}, **asking)
        assert asked["args"] == {"mode": "unlocked", "for_s": 600}
