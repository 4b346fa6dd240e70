"""Commands through the whole engine: once, in time, with who and why; refusals and the recording itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.reports import InputRefused
from gateway.engine.desk.record import Facts
from tests.gateway.engine_site import FITTER, GUARD, Time, yard

PULSE = ("pulse", "relays", "relay_1", 5.0)


async def test_a_command_is_recorded_before_the_act_and_its_result_after_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        before = here.journal.last
        id = await here.command("door.unlock", "lobby", local=True)
        assert here.sent == [PULSE]
        assert here.wires["doors-net"].seen_recorded == [before + 1]
        asked, released, done = await here.events()
        assert (asked[0], released[0], done[0]) == ("command.asked", "door.released", "command.done")
        assert released[2] == {"by": "command", "for_s": 5.0, "command": id}
        assert (done[2]["command"], done[2]["reason"], done[2]["by"]["name"]) == (id, "test", GUARD.name)
        item = here.engine.commands.item(id)
        assert item is not None
        assert item["result"] is not None
        assert (item["state"], item["by"]["role"], item["result"]["why"]) == ("done", "guard", None)


async def test_an_id_is_carried_out_once_also_after_a_restart(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.unlock", "lobby", number=1)
        await here.command("door.unlock", "lobby", number=1)
        assert here.sent == [PULSE]
        time = here.time
    async with yard(tmp_path, time) as again:
        await again.command("door.unlock", "lobby", number=1)
        assert again.sent == []
        assert len(await again.events("command.done")) == 1


# situation, how the command is made, the event, whether anything is sent
COMMANDS: list[tuple[str, dict[str, Any], str, bool]] = [
    ("in time", {}, "command.done", True),
    ("expired on the way", {"issued_ms": -60_000, "ttl_ms": -1}, "command.expired", False),
    ("from the far future", {"issued_ms": 120_000, "ttl_ms": 130_000}, "command.failed", False),
    ("by a role that may not", {"by": FITTER}, "command.failed", False),
    ("for a door that is not there", {"target": "nowhere"}, "command.failed", False),
]


@pytest.mark.parametrize(("how", "kind", "sends"), [w[1:] for w in COMMANDS], ids=[w[0] for w in COMMANDS])
async def test_commands(tmp_path: Path, how: dict[str, Any], kind: str, sends: bool) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.unlock", how.pop("target", "lobby"), **how)
        assert (here.sent == [PULSE]) is sends
        results = await here.events("command.done", "command.failed", "command.expired")
        assert [result[0] for result in results] == [kind]


async def test_a_hub_command_is_not_judged_by_a_doubtful_clock_but_the_guards_own_is_carried_out(
    tmp_path: Path,
) -> None:
    async with yard(tmp_path, Time(wall_ms=1_000)) as here:
        now = here.engine.clock.wall_ms() - here.time.machine_ms
        await here.command("door.unlock", "lobby", issued_ms=now, ttl_ms=now + 10_000)
        assert here.sent == []
        await here.command("door.unlock", "lobby", issued_ms=now, ttl_ms=now + 10_000, local=True, number=9)
        assert here.sent == [PULSE]


async def test_a_dead_wire_fails_the_command_in_words(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.wires["doors-net"].dead = True
        await here.command("door.unlock", "lobby")
        [(_, _, data)] = await here.events("command.failed")
        assert "the wire is dead" in data["why"]["en"]


async def test_a_command_that_was_under_way_in_a_crash_has_failed_and_is_not_tried_again(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        id = await here.command("door.unlock", "lobby", number=4)
        # As the state stands between the record and the act.
        from gateway.engine.desk.record import Facts  # noqa: PLC0415

        facts = Facts()
        remembered = here.engine.commands.commands[id]
        facts.keep("command", id, type(remembered)(command=remembered.command, state="sent", at=remembered.at))
        await here.engine.record.append(facts)
        time = here.time
    async with yard(tmp_path, time) as again:
        assert again.sent == []
        item = again.engine.commands.item(id)
        assert item is not None
        assert item["state"] == "failed"
        await again.command("door.unlock", "lobby", number=4)
        assert again.sent == []


async def test_remembered_ids_are_bounded_in_number_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.engine.commands.REMEMBER_LIMIT", 3)
    async with yard(tmp_path) as here:
        for number in range(1, 7):
            await here.command("door.unlock", "lobby", number=number)
        assert len(here.engine.commands.commands) == 3
        await here.wait(25 * 3600)
        await here.command("door.unlock", "lobby", number=99)
        assert len(here.engine.commands.commands) == 1
        time = here.time
    async with yard(tmp_path, time) as again:
        assert len(again.engine.commands.commands) == 1


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("relays.relay_8", "command.done"),
        ("relays.relay_1", "command.failed"),
        ("relays.relay_3", "command.failed"),
        ("barrier-in.open", "command.failed"),
        ("pump-1.flow", "command.failed"),
    ],
    ids=["a free relay", "a door's lock", "a barrier's relay", "a barrier's own board", "what can only be read"],
)
async def test_points_that_may_be_written(tmp_path: Path, target: str, kind: str) -> None:
    async with yard(tmp_path) as here:
        await here.command("point.write", target, by=FITTER, value=True)
        assert [found[0] for found in await here.events()] == [kind]
        assert (here.sent == [("write", "relays", "relay_8", True)]) is (kind == "command.done")


async def test_refused_input_is_an_event_at_most_once_a_minute_and_wire(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        for _ in range(40):
            here.engine.report(InputRefused("plant-line", "bad CRC", b"\x01\x02"))
        here.engine.report(InputRefused("in-line", "not text", b"hello\xff"))
        await here.settle()
        assert [(source, data["count"]) for _, source, data in await here.events("input.refused")] == [
            ("plant-line", 1),
            ("in-line", 1),
        ]
        await here.wait(61)
        events = await here.events("input.refused")
        assert [(source, data["count"], data["sample"]) for _, source, data in events][2:] == [
            ("plant-line", 39, "01 02")
        ]
        await here.wait(120)
        assert len(await here.events("input.refused")) == 3
        assert here.engine.refusals.counts == {"plant-line": 40, "in-line": 1}


async def test_the_site_is_described_when_its_file_changed(tmp_path: Path) -> None:
    from tests.gateway.engine_site import SITE  # noqa: PLC0415

    async with yard(tmp_path) as here:
        [(_, source, data)] = await here.events("site.described")
        assert source == "yard-gw"
        assert [door["id"] for door in data["doors"]] == ["lobby"]
        assert "pump-1.flow" in [point["id"] for point in data["points"]]
        time = here.time
    async with yard(tmp_path, time) as same:
        assert len(await same.events("site.described")) == 1
        assert len(await same.events("gateway.started")) == 2
    async with yard(tmp_path, time, site=SITE.replace("held_s: 30", "held_s: 20")) as changed:
        assert len(await changed.events("site.described")) == 2


class OtherSoftwaresWord(msgspec.Struct):
    """What a version that described less of the same file kept."""

    layout: str = "0123456789abcdef"


async def test_the_site_is_described_again_when_newer_software_says_more_of_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        facts = Facts()
        facts.keep("site", "described", OtherSoftwaresWord())
        await here.engine.record.append(facts)
        time = here.time
    async with yard(tmp_path, time) as newer:
        assert len(await newer.events("site.described")) == 2


async def test_the_end_is_recorded(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.engine.stop()
        assert (await here.kinds())[-1] == "gateway.stopped"
